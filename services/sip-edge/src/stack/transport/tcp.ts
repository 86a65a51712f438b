// SIP over TCP: framing, keep-alives, one connection for both directions (RFC 3261 18, RFC 5923 in spirit).
// It refuses more connections than all may have or one source may; closes what stays idle, half-said or silent from the
// start; where others want in, the silent ones early and then the longest idle that carries no leg. Some places are kept
// for connections of our own. It never reads ahead or queues without bound.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { sourceOf } from '@opentact/runtime';
import type { Fault } from '../message/message.ts';
import { EMPTY_FRAME, type FrameState, frame } from './framing.ts';
import type { Peer } from './peer.ts';
import { createSendQueues, type SendQueues, STUCK_MS } from './send-queues.ts';
import { createShares, type Shares } from './shares.ts';

export const CONNECTIONS_MAX = 2_000;
/** Of one source address (IPv6: its /64), among those that others opened. */
export const CONNECTIONS_PER_SOURCE = 200;
/** Whoever opens a connection must have sent a whole message by then. */
export const SILENT_MS = 10_000;
export const IDLE_MS = 10 * 60_000;
/** A message begun must be complete by then. */
export const PARTIAL_MS = 32_000;
/** The part of all connections that is kept for those that we open. */
const OWN_PART = 1 / 10;
/** Which connections carry legs is asked no more often. */
const IN_USE_MS = 1_000;
/** What was half read on all connections together, and of one source. */
const PARTIAL_BYTES_MAX = 32 * 1024 * 1024;
const PARTIAL_BYTES_PER_SOURCE = 4 * 1024 * 1024;
const PONG = Buffer.from('\r\n');
const LINGER_MS = 200;
const CONNECT_MS = 4_000;

export type TcpPeer = Peer & { readonly open: boolean };

export type TcpEvents = {
  message(bytes: Buffer, peer: TcpPeer): void;
  /** The stream is lost: answer if possible; the connection closes after it. */
  fault(fault: Fault, peer: TcpPeer): void;
  /** Connections that carry legs, each as `address:port`; nobody makes them room for others. */
  inUse?(): ReadonlySet<string>;
};

export type TcpLimits = {
  idleMs?: number;
  partialMs?: number;
  silentMs?: number;
  stuckMs?: number;
  connections?: number;
  perSource?: number;
};

export type TcpTransport = {
  readonly port: number;
  /** An open connection to that address, or a new one. Rejects where it can't be made within 4 s. */
  connect(address: string, port: number): Promise<TcpPeer>;
  /** The open connection to that address, where there is one. */
  connection(address: string, port: number): TcpPeer | undefined;
  close(): Promise<void>;
};

type Connection = TcpPeer & { readonly socket: Socket; readonly isGuest: boolean };
/** What the connections of one listener share. */
type Shared = {
  /** By `address:port`; who spoke or was spoken to last stands last. */
  readonly connections: Map<string, Connection>;
  /** Those that others opened and that said nothing yet, oldest first. */
  readonly silent: Set<Connection>;
  readonly accepted: Shares;
  readonly partial: Shares;
  readonly limits: Required<TcpLimits>;
  readonly events: TcpEvents;
  readonly queues: SendQueues;
  readonly inUse: () => ReadonlySet<string>;
  /** Connections that others opened. */
  guests: number;
  /** Connections of ours that are being made. */
  opening: number;
};

/** Listens. Rejects where the port is taken. */
export async function listenTcp(
  options: { address: string; port: number; reusePort: boolean; limits?: TcpLimits },
  events: TcpEvents,
): Promise<TcpTransport> {
  const limits = { ...LIMITS, ...options.limits };
  const connections: Shared['connections'] = new Map();
  const shared: Shared = {
    ...{ connections, limits, events, silent: new Set(), guests: 0, opening: 0 },
    queues: createSendQueues(limits.stuckMs),
    inUse: seldom(() => events.inUse?.() ?? new Set()),
    accepted: createShares(Number.POSITIVE_INFINITY, limits.perSource),
    partial: createShares(PARTIAL_BYTES_MAX, PARTIAL_BYTES_PER_SOURCE),
  };
  const server = createServer({ noDelay: true }, (socket) => accept(socket, shared));
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
      if (connections.size + shared.opening >= limits.connections && !makeRoom(shared))
        throw new Error('too many connections');
      shared.opening += 1;
      const socket = await connected(address, port).finally(() => {
        shared.opening -= 1;
      });
      return adopt(socket, shared, false);
    },
    async close() {
      const closed = new Promise((done) => server.close(done));
      for (const { socket } of connections.values()) socket.destroy();
      shared.queues.close();
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

const LIMITS: Required<TcpLimits> = {
  idleMs: IDLE_MS,
  partialMs: PARTIAL_MS,
  silentMs: SILENT_MS,
  stuckMs: STUCK_MS,
  connections: CONNECTIONS_MAX,
  perSource: CONNECTIONS_PER_SOURCE,
};

/** A connection that another opened: within its source's share, where there is or can be made room. */
function accept(socket: Socket, shared: Shared): void {
  const { silent, accepted, limits } = shared;
  const address = addressOf(socket);
  const isFull = shared.guests >= limits.connections * (1 - OWN_PART);
  if (isFull && !makeRoom(shared, sourceOf(address))) return void socket.destroy();
  if (!accepted.take(address, 1)) return void socket.destroy();
  shared.guests += 1;
  const connection = adopt(socket, shared, true);
  silent.add(connection);
  const late = setTimeout(() => silent.has(connection) && socket.destroy(), limits.silentMs);
  socket.on('close', () => {
    accepted.give(address, 1);
    shared.guests -= 1;
    clearTimeout(late);
  });
}

/**
 * Closes the oldest silent connection, or else the longest idle one that another opened and that carries no leg.
 * @param newcomer the source that wants in, which makes itself no room
 * @returns false where there is none
 */
function makeRoom(shared: Shared, newcomer?: string): boolean {
  const { silent, connections } = shared;
  const leaving = [...silent].find(isOpen) ?? longestIdle(connections, shared.inUse());
  if (!leaving || sourceOf(leaving.address) === newcomer) return false;
  forget(leaving, shared);
  leaving.socket.destroy();
  return true;
}

const isOpen = ({ socket }: Connection) => !socket.destroyed;

function longestIdle(connections: Shared['connections'], inUse: ReadonlySet<string>): Connection | undefined {
  for (const [key, connection] of connections)
    if (connection.isGuest && !inUse.has(key) && isOpen(connection)) return connection;
  return undefined;
}

function touch(connection: Connection, { connections }: Shared): void {
  const key = keyOf(connection);
  if (connections.get(key) !== connection) return;
  connections.delete(key);
  connections.set(key, connection);
}

/** What was found holds for a second. */
function seldom<T>(find: () => T): () => T {
  let found: T | undefined;
  let at = 0;
  return () => {
    if (found !== undefined && performance.now() - at < IN_USE_MS) return found;
    at = performance.now();
    found = find();
    return found;
  };
}

const keyOf = ({ address, port }: { address: string; port: number }) => `${address}:${port}`;

function forget(connection: Connection, { connections, silent }: Shared): void {
  silent.delete(connection);
  const key = keyOf(connection);
  if (connections.get(key) === connection) connections.delete(key);
}

const addressOf = (socket: Socket) => (socket.remoteAddress ?? '').replace(/^::ffff:/, '');

function adopt(socket: Socket, shared: Shared, isGuest: boolean): Connection {
  const address = addressOf(socket);
  const port = socket.remotePort ?? 0;
  const queue = shared.queues.of(socket, address);
  const connection: Connection = {
    transport: 'tcp' as const,
    address,
    port,
    socket,
    isGuest,
    get open() {
      return socket.writable;
    },
    send(bytes: Buffer, failed: (error: Error) => void) {
      touch(connection, shared);
      queue.send(bytes, failed);
    },
  };
  shared.connections.set(`${address}:${port}`, connection);
  socket.on('error', () => {});
  socket.on('close', () => forget(connection, shared));
  read(connection, shared);
  return connection;
}

function read(connection: Connection, shared: Shared): void {
  const { silent, partial: buffers, limits, events } = shared;
  const { socket, address } = connection;
  let state: FrameState = EMPTY_FRAME;
  let partial: NodeJS.Timeout | undefined;
  let held = 0;
  /** False where what was half read doesn't fit. */
  const hold = (bytes: number): boolean => {
    buffers.give(address, held);
    held = buffers.take(address, bytes) ? bytes : 0;
    return held === bytes;
  };
  socket.setTimeout(limits.idleMs, () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(partial);
    hold(0);
  });
  socket.on('data', (chunk) => {
    const step = frame(state, chunk);
    state = step.state;
    if (step.ping) connection.send(PONG, () => {});
    if (step.messages.length > 0) {
      silent.delete(connection);
      touch(connection, shared);
    }
    for (const bytes of step.messages) events.message(bytes, connection);
    if (step.fault) {
      events.fault(step.fault, connection);
      socket.removeAllListeners('data').resume();
      // Answers to the messages before it may still be on their way.
      setTimeout(() => socket.end(), LINGER_MS).unref();
      setTimeout(() => socket.destroy(), 5 * LINGER_MS).unref();
    }
    if (!hold(state.pending.length)) return void socket.destroy();
    // The time runs from the first byte of a message, so that a byte now and then can't hold a connection.
    if (state.pending.length === 0 || step.messages.length > 0) {
      clearTimeout(partial);
      partial = undefined;
    }
    if (state.pending.length > 0) partial ??= setTimeout(() => socket.destroy(), limits.partialMs);
  });
}
