// SIP over UDP (RFC 3261 18, RFC 3581). Several edges of one host may share the port.
// It refuses nothing itself: keep-alives are dropped here, everything else goes up with its source.

import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Via } from '../message/fields.ts';
import { paramOf } from '../message/params.ts';
import type { Peer } from './peer.ts';

export type Source = { readonly address: string; readonly port: number };

export type UdpTransport = {
  readonly port: number;
  peer(address: string, port: number): Peer;
  close(): Promise<void>;
};

const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
const KEEP_ALIVE_BYTES_MAX = 4;

/** Binds and listens. Rejects where the port is taken. */
export function listenUdp(
  options: { address: string; port: number; reusePort: boolean },
  receive: (bytes: Buffer, source: Source) => void,
): Promise<UdpTransport> {
  const type = isIPv6(options.address) ? 'udp6' : 'udp4';
  const socket = createSocket({
    type,
    reusePort: options.reusePort,
    recvBufferSize: SOCKET_BUFFER_BYTES,
    // Only numeric addresses are ever sent to: no name is looked up, and nothing waits for a turn of the event loop.
    lookup: (address, _options, done) => done(null, address, type === 'udp6' ? 6 : 4),
  });
  socket.on('message', (bytes, { address, port }) => {
    if (bytes.length > KEEP_ALIVE_BYTES_MAX) receive(bytes, { address, port });
  });
  let open = true;
  const transport = (): UdpTransport => ({
    port: socket.address().port,
    peer: (address, port) => ({
      transport: 'udp',
      address,
      port,
      send(bytes, failed) {
        if (!open) return queueMicrotask(() => failed(new Error('the socket is closed')));
        socket.send(bytes, port, address, (error) => error && failed(error));
      },
    }),
    close: () =>
      new Promise((done) => {
        open = false;
        socket.close(done);
      }),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(options.port, options.address, () => {
      socket.off('error', reject);
      // A send error is told to its sender; the socket itself stays usable.
      socket.on('error', () => {});
      resolve(transport());
    });
  });
}

/**
 * Where answers to a datagram go (RFC 3261 18.2.2, RFC 3581 4): always to the address it came from; to the port it
 * came from where `rport` was asked for or Via can't be read, else to Via's. Via's host is never resolved: it would
 * let anyone point our answers at others.
 */
export function answerPort(source: Source, via: Via | undefined): number {
  if (!via || paramOf(via.params, 'rport') !== undefined) return source.port;
  return via.port || 5060;
}
