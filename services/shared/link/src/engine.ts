/**
 * The engine's half of the link: routes by (node, boot), hands facts of open partitions up in order, answers facts of
 * other partitions itself. What is said to a node without a stream is dropped: it is owed and is said again.
 */
import type { Server } from '@grpc/grpc-js';
import { LinkV1 } from '@opentact/proto';
import { type Logger, partitionOf } from '@opentact/runtime';
import type { EngineEnd } from './local.ts';
import { createOutbox } from './outbox.ts';
import type { EngineHandlers, EngineLinkServer, NodeRef } from './port.ts';

type ToNode = NonNullable<LinkV1.EngineItem['item']>;
type OfNode = NonNullable<LinkV1.NodeItem['item']>;

/** A node that lets this much wait is cut off; it reconnects and everything outstanding is asked again. */
const ITEMS_MAX = 50_000;

export type EngineLinkOptions = {
  name: string;
  boot: string;
  partitions: number;
  handlers: EngineHandlers;
  log: Logger;
};

type Connection = { ref: NodeRef; send(item: ToNode): void; end(why: string): void };

const bytesOf = (item: ToNode): number =>
  item.$case === 'ask' || item.$case === 'known' || item.$case === 'hint' ? item.value.payload.byteLength + 96 : 96;
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const NOBODY = { node: '', boot: '' };
const idOf = (name: string, boot: string): string => `${name}/${boot}`;

/** One stream, whose first item must be a hello. `heard` gets everything, `over` is called once. */
function accept(
  call: EngineEnd,
  heard: (item: OfNode, of: { send(item: ToNode): void; end(why: string): void }) => void,
  over: () => void,
) {
  let ended = false;
  const outbox = createOutbox<ToNode>({
    itemsMax: ITEMS_MAX,
    bytesOf,
    write: (items) => call.write({ items: items.map((item) => ({ item })) }),
    overflow: () => end('too slow'),
  });
  function end(_why: string): void {
    if (ended) return;
    ended = true;
    outbox.close();
    call.end();
    over();
  }
  // What tells a node that it may forget something; the node that waits for more is asked, which takes these along.
  const connection = {
    send: (item: ToNode) => outbox.push(item, item.$case === 'ack' || item.$case === 'settled'),
    end,
  };
  call.on('data', (message: LinkV1.FromNode) => {
    for (const { item } of message.items) if (item && !ended) heard(item, connection);
  });
  call.on('drain', () => outbox.drained());
  call.on('end', () => end('ended by the node'));
  call.on('cancelled', () => end('cancelled'));
  call.on('error', (error) => end(error.message));
}

/** Add it to a server by `addTo`; nodes of the same process come by `connect`. */
export function createEngineLink(
  options: EngineLinkOptions,
): EngineLinkServer & { addTo(server: Server): void; connect(stream: EngineEnd): void } {
  const { handlers, log, partitions } = options;
  const connections = new Map<string, Connection>();
  const open = new Map<number, number>(); // partition → epoch

  function call(handler: string, run: () => void): void {
    try {
      run();
    } catch (err) {
      log.error({ err, handler }, 'a handler of the link threw');
    }
  }
  function greet(ref: NodeRef, to: Pick<Connection, 'send' | 'end'>): Connection {
    const id = idOf(ref.name, ref.boot);
    const connection: Connection = { ref, ...to };
    connections.get(id)?.end('replaced by a new stream');
    connections.set(id, connection);
    to.send({ $case: 'hello', value: { name: options.name, boot: options.boot, partitions } });
    for (const [partition, epoch] of open) to.send({ $case: 'partitionOpened', value: { partition, epoch } });
    log.info({ peer: ref.name, peerBoot: ref.boot, kind: ref.kind }, 'node connected');
    call('connected', () => handlers.connected(connection.ref));
    return connection;
  }
  function heardFact({ key, n, observedAt, payload }: LinkV1.Fact, { ref, send }: Connection, told: Set<number>): void {
    const partition = partitionOf(key, partitions);
    if (open.has(partition)) {
      const fact = { key, partition, source: ref.name, boot: ref.boot, n, observedAt, payload };
      call('fact', () => handlers.fact(fact, ref));
      return;
    }
    if (told.has(partition)) return; // Once per turn is enough.
    if (told.size === 0) setImmediate(() => told.clear());
    told.add(partition);
    send({ $case: 'notOwner', value: { partition, owner: '' } });
  }
  function heard(item: Exclude<OfNode, { $case: 'hello' }>, from: Connection, told: Set<number>): void {
    const { ref } = from;
    switch (item.$case) {
      case 'fact':
        heardFact(item.value, from, told);
        return;
      case 'takenOn':
        call('takenOn', () => handlers.takenOn(item.value.key, item.value.seq, ref));
        return;
      case 'refused':
        call('refused', () => handlers.refused(item.value.key, item.value.seq, item.value.reason, ref));
        return;
      case 'caughtUp':
        call('caughtUp', () => handlers.caughtUp(item.value.partition, item.value.epoch, ref));
        return;
      case 'audit':
        call('audit', () => handlers.audit(item.value.keys, ref));
        return;
      case 'where': {
        const { key, part } = item.value;
        if (open.has(partitionOf(key, partitions))) call('where', () => handlers.where?.(key, part, ref));
        return;
      }
    }
  }
  function accepted(isNear: boolean, stream: EngineEnd): void {
    let connection: Connection | undefined;
    const told = new Set<number>();
    accept(
      stream,
      (item, to) => {
        if (item.$case !== 'hello') {
          if (connection) heard(item, connection, told);
          else to.end('no hello');
        } else if (connection) connection.ref.loadPercent = item.value.loadPercent;
        else connection = greet({ ...item.value, isNear }, to);
      },
      () => {
        const gone = connection;
        // Only the stream that is known as this node's: a replaced one was taken over before it ended.
        if (!gone || connections.get(idOf(gone.ref.name, gone.ref.boot)) !== gone) return;
        connections.delete(idOf(gone.ref.name, gone.ref.boot));
        log.info({ peer: gone.ref.name, peerBoot: gone.ref.boot }, 'node disconnected');
        call('disconnected', () => handlers.disconnected(gone.ref));
      },
    );
  }
  function send(name: string, boot: string, item: ToNode): boolean {
    const connection = connections.get(idOf(name, boot));
    connection?.send(item);
    return connection !== undefined;
  }
  const sendAll = (item: ToNode) => {
    for (const connection of connections.values()) connection.send(item);
  };
  return {
    nodes: () => [...connections.values()].map(({ ref }) => ref),
    open(partition, epoch) {
      open.set(partition, epoch);
      sendAll({ $case: 'partitionOpened', value: { partition, epoch } });
    },
    shut(partition, owner = '') {
      if (open.delete(partition)) sendAll({ $case: 'notOwner', value: { partition, owner } });
    },
    ask: (to, { key, seq, epoch, payload, account = '' }) =>
      send(to.node, to.boot, {
        $case: 'ask',
        value: { key, seq, epoch, boot: to.boot, payload: asBuffer(payload), account },
      }),
    ack: (to, key, n, epoch) => void send(to.name, to.boot, { $case: 'ack', value: { key, n, epoch } }),
    gap: (to, key, expected, epoch) => void send(to.name, to.boot, { $case: 'gap', value: { key, expected, epoch } }),
    notOwner: (to, partition, owner) => void send(to.name, to.boot, { $case: 'notOwner', value: { partition, owner } }),
    unknown: (to, key, epoch) => void send(to.name, to.boot, { $case: 'unknown', value: { key, epoch } }),
    known: (to, key, { node, boot, payload }) =>
      void send(to.name, to.boot, { $case: 'known', value: { key, node, boot, payload: asBuffer(payload) } }),
    settled: (to, key, epoch) => void send(to.node, to.boot, { $case: 'settled', value: { key, epoch } }),
    auditAnswer: (to, partition, epoch, gone) =>
      void send(to.name, to.boot, { $case: 'auditAnswer', value: { partition, epoch, gone } }),
    there: (to, key, part, holder, epoch) =>
      void send(to.name, to.boot, { $case: 'there', value: { key, part, ...(holder ?? NOBODY), epoch } }),
    hint: (to, key, payload, account = '') =>
      void send(to.node, to.boot, { $case: 'hint', value: { key, payload: asBuffer(payload), account } }),
    addTo: (server) => server.addService(LinkV1.EngineLinkService, { connect: accepted.bind(undefined, false) }),
    connect: accepted.bind(undefined, true),
  };
}
