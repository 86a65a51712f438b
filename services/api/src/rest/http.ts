/**
 * api over HTTP: /, /health, /ready for the whole installation, /recordings, /rest. It refuses recordings without the
 * operator's token (an account's own are at /rest/recording), and any name that is no uuid.
 */
import { request as ask, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import {
  type Check,
  type ConnectionLimits,
  createConnectionShares,
  isListedAddress,
  isSameToken,
  parseAllowList,
  type Readiness,
  readiness,
} from '@opentact/runtime';
import { type FastifyInstance, type FastifyPluginAsync, type FastifyReply, fastify } from 'fastify';
import { envelope } from './errors.ts';
import { addFrontPage, type Front } from './front-page.ts';
import { recordingPath, sendRecording } from './recording-file.ts';

const ASK_MS_MAX = 2500;

/** What a process says about its own readiness, over its socket. A process that can't be asked is not ready. */
function askProcess(socketPath: string): Promise<Readiness> {
  return new Promise((done) => {
    const lost = (reason: string) => done({ ready: false, checks: { process: reason } });
    const asking = ask({ socketPath, path: '/ready', timeout: ASK_MS_MAX }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      try {
        done(JSON.parse(body));
      } catch {
        lost('answered nonsense');
      }
    });
    asking.on('error', (error: NodeJS.ErrnoException) => lost(error.code ?? error.message));
    asking.on('timeout', () => asking.destroy(new Error('no answer')));
    asking.end();
  });
}

const faultsIn = (found: Readiness): string =>
  Object.entries(found.checks)
    .filter(([, said]) => said !== 'ok')
    .map(([name, said]) => `${name}: ${said}`)
    .join('; ');

/**
 * One check per service of a list `name=socket`; of several processes of a service (`flow-engine-1`, `-2`) one that is
 * ready is enough, because a call would be answered.
 */
export function checksOf(readyOf: readonly string[]): Record<string, Check> {
  const services = Map.groupBy(
    readyOf.map((entry) => entry.split('=') as [string, string]),
    ([name]) => name.replace(/-\d+$/, ''),
  );
  return Object.fromEntries(
    [...services].map(([service, processes]) => [
      service,
      async () => {
        const found = await Promise.all(processes.map(([, socket]) => askProcess(socket)));
        if (found.some((f) => f.ready)) return undefined;
        return found.map((f, i) => `${processes[i]![0]} (${faultsIn(f)})`).join(', ');
      },
    ]),
  );
}

const PATIENCE_MS = 10_000;
const CONNECTIONS = { max: 2_000, perSource: 200 };
/** Then the connection ends: one that asks on and on makes room for others. */
const REQUESTS_PER_CONNECTION_MAX = 1_000;

/** @param token required of recordings, where given. */
export function createHttp(of: {
  checks: Record<string, Check>;
  recordings: string;
  token: string | undefined;
  /** The REST API. */
  rest: FastifyPluginAsync;
  /** Left out: there is no page at `/`. */
  front?: Front;
  /** How long a request may take to arrive whole. */
  patienceMs?: number;
  /** Addresses and CIDRs of proxies whose X-Forwarded-For is believed; left out: none. */
  trustedProxies?: string[];
  /** Beside those of trusted proxies; left out: 2,000 in all, 200 of one source. */
  connections?: ConnectionLimits;
}): FastifyInstance {
  const { patienceMs = PATIENCE_MS, trustedProxies = [] } = of;
  const http = fastify({
    logger: false,
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    bodyLimit: 64 * 1024,
    connectionTimeout: patienceMs,
    requestTimeout: patienceMs,
    maxRequestsPerSocket: REQUESTS_PER_CONNECTION_MAX,
    // Node looks for requests that take too long at this interval only.
    http: { connectionsCheckingInterval: patienceMs / 10, headersTimeout: patienceMs },
    clientErrorHandler: refuseConnection,
    // A path that can't be read reaches no route.
    frameworkErrors: (_error, _request, reply) =>
      (reply as FastifyReply).code(400).send(envelope(400, 'the path is malformed')),
  });
  const proxies = parseAllowList(trustedProxies.join(' '));
  const isExempt = (address: string) => isListedAddress(proxies, address, 0);
  limitConnections(http.server, { ...(of.connections ?? CONNECTIONS), isExempt });
  http.get('/health', async () => ({ alive: true }));
  http.get('/ready', async (_, reply) => {
    const found = await readiness(of.checks);
    return reply.code(found.ready ? 200 : 503).send(found);
  });
  type Asked = { Params: { file: string } };
  http.route<Asked>({
    method: ['GET', 'HEAD'],
    url: '/recordings/:file',
    async handler(request, reply) {
      if (of.token && !isSameToken(request.headers.authorization ?? '', `Bearer ${of.token}`))
        return reply.code(401).send();
      const path = recordingPath(of.recordings, request.params.file.replace(/\.wav$/, ''));
      if (!(await sendRecording(path, request, reply))) reply.code(404).send({ reason: 'no such recording' });
      return reply;
    },
  });
  if (of.front) addFrontPage(http, of.front, of.token, () => readiness(of.checks));
  http.register(of.rest, { prefix: '/rest' });
  return http;
}

/** A connection is idle while no request of it is being answered. */
function limitConnections(server: Server, limits: ConnectionLimits): void {
  const shares = createConnectionShares(limits);
  server.on('connection', (socket) => shares.admit(socket));
  server.on('request', ({ socket }, response) => {
    shares.busy(socket);
    response.once('close', () => shares.idle(socket));
  });
}

const UNREAD: Record<string, [status: number, message: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long to arrive'],
};

/** What reaches no route, as it isn't HTTP or never ends. */
function refuseConnection({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') return void socket.destroy();
  const [status, message] = UNREAD[code ?? ''] ?? [400, 'the request is malformed'];
  const body = JSON.stringify(envelope(status, message));
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}
