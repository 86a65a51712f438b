// SIP over TCP: framing, keep-alives, one connection for both directions (RFC 3261 18, RFC 5923 in spirit).
// It refuses more than CONNECTIONS_MAX, closes what stays idle or half-said, and never queues without bound.

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Fault } from '../message/message.ts';
import { EMPTY_FRAME, type FrameState, frame } from './framing.ts';
import type { Peer } from './peer.ts';

export const CONNECTIONS_MAX = 2_000;
export const IDLE_MS = 10 * 60_000;
/** A message begun must be complete by then. */
export const PARTIAL_MS = 32_000;
const QUEUE_BYTES_MAX = 1024 * 1024;
const LINGER_MS = 200;
const CONNECT_MS = 4_000;

export type TcpPeer = Peer & { readonly open: boolean };

export type TcpEvents = {
  message(bytes: Buffer, peer: TcpPeer): void;
  /** The stream is lost: answer if possible; the connection closes after it. */
  fault(fault: Fault, peer: TcpPeer): void;
};

export type TcpLimits = { idleMs?: number; partialMs?: number; connections?: number };

export type TcpTransport = {
  readonly port: number;
  /** An open connection to that address, or a new one. Rejects where it can't be made within 4 s. */
  connect(address: string, port: number): Promise<TcpPeer>;
  /** The open connection to that address, where there is one. */
  connection(address: string, port: number): TcpPeer | undefined;
  close(): Promise<void>;
};

type Connections = Map<string, TcpPeer & { socket: Socket }>;

/** Listens. Rejects where the port is taken. */
export async function listenTcp(
  options: { address: string; port: number; reusePort: boolean; limits?: TcpLimits },
  events: TcpEvents,
): Promise<TcpTransport> {
  const connections: Connections = new Map();
  const limits = { idleMs: IDLE_MS, partialMs: PARTIAL_MS, connections: CONNECTIONS_MAX, ...options.limits };
  const server = createServer({ noDelay: true }, (socket) => {
    if (connections.size >= limits.connections) socket.destroy();
    else adopt(socket, connections, limits, events);
  });
  await listening(server, options);
  return {
    port: (server.address() as { port: number }).port,
    connection(address, port) {
      const known = connections.get(`${address}:${port}`);
      return known?.open ? known : undefined;
    },
    async connect(address, port) {
      const known = connections.get(`${address}:${port}`);
      if (known?.open) return known;
      if (connections.size >= limits.connections) throw new Error('too many connections');
      return adopt(await connected(address, port), connections, limits, events);
    },
    async close() {
      const closed = new Promise((done) => server.close(done));
      for (const { socket } of connections.values()) socket.destroy();
      await closed;
    },
  };
}

function listening(server: Server, options: { address: string; port: number; reusePort: boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.address, port: options.port, reusePort: options.reusePort }, resolve);
  });
}

function connected(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, noDelay: true });
    const giveUp = setTimeout(() => socket.destroy(new Error('no connection in time')), CONNECT_MS);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('close', () => clearTimeout(giveUp));
    socket.once('connect', () => clearTimeout(giveUp));
  });
}

function adopt(socket: Socket, connections: Connections, limits: Required<TcpLimits>, events: TcpEvents): TcpPeer {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const port = socket.remotePort ?? 0;
  const key = `${address}:${port}`;
  const peer = {
    transport: 'tcp' as const,
    address,
    port,
    socket,
    get open() {
      return socket.writable;
    },
    send(bytes: Buffer, failed: (error: Error) => void) {
      if (!socket.writable || socket.writableLength > QUEUE_BYTES_MAX) {
        if (socket.writable) socket.destroy(new Error('the peer does not read'));
        return queueMicrotask(() => failed(new Error('the connection is closed')));
      }
      socket.write(bytes, (error) => error && failed(error));
    },
  };
  connections.set(key, peer);
  socket.on('error', () => {});
  socket.on('close', () => connections.delete(key));
  read(socket, peer, limits, events);
  return peer;
}

function read(socket: Socket, peer: TcpPeer, limits: Required<TcpLimits>, events: TcpEvents): void {
  let state: FrameState = EMPTY_FRAME;
  let partial: NodeJS.Timeout | undefined;
  socket.setTimeout(limits.idleMs, () => socket.destroy());
  socket.on('close', () => clearTimeout(partial));
  socket.on('data', (chunk) => {
    const step = frame(state, chunk);
    state = step.state;
    if (step.ping) socket.write('\r\n');
    for (const bytes of step.messages) events.message(bytes, peer);
    if (step.fault) {
      events.fault(step.fault, peer);
      socket.removeAllListeners('data').resume();
      // Answers to the messages before it may still be on their way.
      setTimeout(() => socket.end(), LINGER_MS).unref();
      setTimeout(() => socket.destroy(), 5 * LINGER_MS).unref();
    }
    // The time runs from the first byte of a message, so that a byte now and then can't hold a connection.
    if (state.pending.length === 0 || step.messages.length > 0) {
      clearTimeout(partial);
      partial = undefined;
    }
    if (state.pending.length > 0) partial ??= setTimeout(() => socket.destroy(), limits.partialMs);
  });
}
