// The sending half between edges: who lives, by the registry, and a stream to each that something was forwarded to.
// What surely didn't arrive is handed back; what was written to a stream that then broke is lost, as on a wire.

import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import type { EventLog, SeenNode } from '@opentact/event-log';
import { SipEdgeV1 } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS } from '@opentact/runtime';
import { LEAVING } from '../admission/overload.ts';
import type { Cluster, ClusterListener, EdgeInstance, Forwarded } from '../edge/port.ts';

type Stream = ClientDuplexStream<SipEdgeV1.FromEdge, SipEdgeV1.ToEdge>;
type Waiting = { message: Forwarded; undelivered(): void };
type Connection = { send(waiting: Waiting): void; end(): void };

const KIND = 'sip-edge';
const SILENT_MS = 3_000;
/** Whoever accepts a connection and doesn't say who it is in this time is no edge. */
const HELLO_MS = 1_000;
const WAITING_MAX = 1_000;
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

/** `registry` must have been joined or be watched for it to learn who lives. */
export function openCluster(
  of: { self: EdgeInstance; registry: EventLog['registry']; token: string | undefined },
  listener: ClusterListener,
): Cluster & { close(): void } {
  let living = new Map<string, SeenNode>();
  const connections = new Map<string, Connection>();
  const fit = (n: SeenNode) => n.kind === KIND && !n.gone && n.silentMs < SILENT_MS && n.name !== of.self.node;
  const look = (nodes: SeenNode[]) => {
    living = new Map(nodes.filter(fit).map((node) => [`${node.name}/${node.boot}`, node]));
    for (const [id, connection] of connections) if (!living.has(id)) connection.end();
  };
  const unwatch = of.registry.watch(look);
  look(of.registry.nodes());

  return {
    lives: ({ node, instanceId }) => living.has(`${node}/${instanceId}`),
    others: () => living.size > 0,
    heirs() {
      const others = of.registry.nodes().filter(fit);
      if (others.some(({ loadPercent }) => loadPercent < LEAVING)) return 'staying';
      // Where all leave, the first by name stays for the others' calls, unless it has left them already.
      return others.some((n) => n.loadPercent === LEAVING && n.name < of.self.node) ? 'leaving' : undefined;
    },
    forward({ node, instanceId }, message, undelivered) {
      const id = `${node}/${instanceId}`;
      const found = living.get(id);
      if (!found) return void queueMicrotask(undelivered);
      let connection = connections.get(id);
      if (!connection) {
        connection = connect(found, of.token, of.self, listener, () => connections.delete(id));
        connections.set(id, connection);
      }
      connection.send({ message, undelivered });
    },
    close() {
      unwatch();
      for (const connection of connections.values()) connection.end();
    },
  };
}

/** One stream; `ended` is called once. Messages wait until the other edge said that it is who it should be. */
function connect(
  to: SeenNode,
  token: string | undefined,
  self: EdgeInstance,
  listener: ClusterListener,
  ended: () => void,
): Connection {
  const client = new SipEdgeV1.EdgePeerClient(to.address, credentials.createInsecure(), CHANNEL_OPTIONS);
  const stream: Stream = client.connect(bearer(token));
  const queue = createQueue(stream);
  let over = false;
  const late = setTimeout(end, HELLO_MS);

  function end(): void {
    if (over) return;
    over = true;
    clearTimeout(late);
    stream.cancel();
    client.close();
    ended();
    queue.giveBack();
  }
  function heard({ item }: SipEdgeV1.ToEdge): void {
    if (item?.$case === 'hello') {
      if (item.value.name !== to.name || item.value.boot !== to.boot) return end();
      clearTimeout(late);
      queue.open();
    } else if (item?.$case === 'reply') {
      const { message, ...source } = item.value;
      if (!listener.reply(source, message)) stream.write({ item: { $case: 'closed', value: source } });
    }
  }
  stream.on('data', heard);
  stream.on('drain', queue.open);
  stream.on('end', end);
  stream.on('error', end);
  stream.write({ item: { $case: 'hello', value: { name: self.node, boot: self.instanceId } } });
  return {
    send(item) {
      if (over || !queue.add(item)) queueMicrotask(item.undelivered);
    },
    end,
  };
}

/** What waits to be written to a stream. It refuses more than WAITING_MAX messages or WAITING_BYTES_MAX. */
function createQueue(stream: Stream) {
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let writable = false;
  function flush(): void {
    while (writable && waiting.length > 0) {
      const { message } = waiting.shift()!;
      waitingBytes -= message.bytes.length;
      writable = stream.write({ item: itemOf(message) });
    }
  }
  return {
    add(item: Waiting): boolean {
      const bytes = waitingBytes + item.message.bytes.length;
      if (waiting.length >= WAITING_MAX || bytes > WAITING_BYTES_MAX) return false;
      waitingBytes = bytes;
      waiting.push(item);
      flush();
      return true;
    },
    /** The stream takes more now. */
    open(): void {
      writable = true;
      flush();
    },
    giveBack(): void {
      for (const { undelivered } of waiting) undelivered();
    },
  };
}

function itemOf({ bytes, transport, source }: Forwarded): NonNullable<SipEdgeV1.FromEdge['item']> {
  return { $case: 'forwarded', value: { message: bytes, transport, ...source } };
}
