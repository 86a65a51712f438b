// The receiving half between edges: messages that others forward, and the way back over connections that end at them.
// A connection that its edge called closed stays closed.

import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import { SipEdgeV1 } from '@opentact/proto';
import type { ClusterListener, EdgeInstance } from '../edge/port.ts';
import type { Peer } from '../stack/transport/peer.ts';

type Stream = ServerDuplexStream<SipEdgeV1.FromEdge, SipEdgeV1.ToEdge>;
type Connection = Peer & { close(): void };

const CONNECTIONS_MAX = 2_000;
const WAITING_BYTES_MAX = 1024 * 1024;

/** Serves the other edges on a gRPC server. */
export function addClusterService(server: Server, self: EdgeInstance, listener: ClusterListener): void {
  server.addService(SipEdgeV1.EdgePeerService, { connect: (stream: Stream) => serve(stream, self, listener) });
}

function serve(stream: Stream, self: EdgeInstance, listener: ClusterListener): void {
  const connections = new Map<string, Connection>();
  const hello = { name: self.node, boot: self.instanceId };
  stream.write({ item: { $case: 'hello', value: hello } });

  function connectionOf(address: string, port: number): Connection {
    const key = `${address}:${port}`;
    const known = connections.get(key);
    if (known?.open) return known;
    const made = connection(stream, address, port);
    connections.set(key, made);
    if (connections.size > CONNECTIONS_MAX) connections.delete(connections.keys().next().value!);
    return made;
  }
  function heard({ item }: SipEdgeV1.FromEdge): void {
    if (item?.$case === 'closed') connections.get(`${item.value.address}:${item.value.port}`)?.close();
    if (item?.$case !== 'forwarded') return;
    const { message, transport, address, port } = item.value;
    const back = transport === 'tcp' ? connectionOf(address, port) : undefined;
    const source = { address, port };
    listener.forwarded({ bytes: message, transport: back ? 'tcp' : 'udp', source }, back);
  }
  function over(): void {
    for (const each of connections.values()) each.close();
    stream.end();
  }
  stream.on('data', heard);
  stream.on('end', over);
  stream.on('cancelled', over);
  stream.on('error', over);
}

/** The phone's connection as the edge sees it that doesn't have it. */
function connection(stream: Stream, address: string, port: number): Connection {
  let open = true;
  let failLast = (_error: Error) => {};
  return {
    transport: 'tcp',
    address,
    port,
    get open() {
      return open;
    },
    send(message, failed) {
      if (open && stream.writableLength > WAITING_BYTES_MAX) open = false;
      if (!open) return queueMicrotask(() => failed(new Error('the connection is closed')));
      failLast = failed;
      stream.write({ item: { $case: 'reply', value: { address, port, message } } });
    },
    close() {
      if (!open) return;
      open = false;
      failLast(new Error('the connection, or the edge that has it, is gone'));
    },
  };
}
