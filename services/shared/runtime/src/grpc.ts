/**
 * gRPC servers and clients with the settings that every link of the platform needs: a dead peer is noticed within
 * seconds, a reconnect is tried at once and then at most every half second, and nothing is unbounded.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { createServer, type Server as NetServer } from 'node:net';
import {
  type ChannelOptions,
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import { HealthImplementation, protoPath } from 'grpc-health-check';
import { type ConnectionLimits, createConnectionShares } from './connection-shares.ts';
import { claimSocketPath } from './socket-path.ts';

const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;
const SHARED_LIMITS: ConnectionLimits = { max: 2_000, perSource: 200 };

/** Options of every client channel. */
export const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.keepalive_time_ms': 1000,
  'grpc.keepalive_timeout_ms': 1000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.enable_retries': 0, // Whoever asks decides whether to ask again.
  'grpc.use_local_subchannel_pool': 1, // A new client means a new connection, not another's back-off.
  'grpc.enable_http_proxy': 0,
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
};

const SERVER_OPTIONS: ChannelOptions = {
  'grpc.keepalive_time_ms': 2000,
  'grpc.keepalive_timeout_ms': 2000,
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
};

/** Metadata that carries the token; empty where there is none. */
export function bearer(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

/** Compares in a time that tells nothing of how much was right. */
export function isSameToken(given: string, wanted: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}

/** What a probe asks, and the schema, which is public. */
const OPEN = /^\/grpc\.(?:health|reflection)\./;

/** Refuses calls without the token by UNAUTHENTICATED. */
function tokenInterceptor(token: string): ServerInterceptor {
  return (method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            if (
              OPEN.test(method.path) ||
              isSameToken(String(metadata.get('authorization')[0] ?? ''), `Bearer ${token}`)
            )
              pass(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: 'token missing or wrong' });
          },
        }),
    });
}

/** A server without services or sockets. @param token required of every call, where given. */
export function createGrpcServer(token?: string): Server {
  return new Server({ ...SERVER_OPTIONS, ...(token ? { interceptors: [tokenInterceptor(token)] } : {}) });
}

/** Listens on `host:port` (0: any free one) or on `unix:/path`. @returns the port, 0 for a path. @throws Error where taken. */
export async function listenGrpc(server: Server, address: string): Promise<number> {
  const path = address.startsWith('unix:') ? address.slice('unix:'.length) : undefined;
  if (path !== undefined) await claimSocketPath(path);
  const port = await new Promise<number>((done, failed) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error ? failed(error) : done(port),
    );
  });
  if (path !== undefined) await chmod(path, 0o600);
  return port;
}

/**
 * Listens on a port that other processes share: the system spreads connections over all that listen, and one that is
 * killed leaves the others served. grpc-js can't open such a socket itself, so connections are handed to it, as many as `limits`
 * say: none of them is known to be idle, so that one too many is closed.
 */
export async function listenShared(
  server: Server,
  host: string,
  port: number,
  limits: ConnectionLimits = SHARED_LIMITS,
): Promise<{ close(): Promise<void> }> {
  const shares = createConnectionShares(limits);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener: NetServer = createServer((socket) => {
    if (!shares.admit(socket)) return;
    shares.busy(socket);
    socket.setNoDelay(true);
    injector.injectConnection(socket);
  });
  await new Promise<void>((done, failed) => {
    listener.once('error', failed);
    listener.listen({ host, port, reusePort: true }, done);
  });
  return {
    close: () =>
      new Promise((done) => {
        listener.close(() => done());
        injector.drain(500);
      }),
  };
}

/** The `.proto` file of the standard health service. */
export const HEALTH_PROTO: string = protoPath;

/** Adds the standard health service. @returns sets whether the process serves, for all of its services. */
export function addGrpcHealth(server: Server): (serving: boolean) => void {
  const health = new HealthImplementation({ '': 'NOT_SERVING' });
  health.addToServer(server);
  return (serving) => health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING');
}

/** Stops taking calls, lets running ones end within `graceMs`, then cuts them. */
export async function closeGrpc(server: Server, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((done) => {
    server.tryShutdown(() => done());
    timer = setTimeout(() => {
      server.forceShutdown();
      done();
    }, graceMs);
  });
  clearTimeout(timer);
}
