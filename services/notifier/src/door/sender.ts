/**
 * Sends one HTTP request to addresses that were judged, and gives its answer with the body unread. Connections are kept for a
 * second where that is safe: for GET alone, the same account, the same addresses. On a kept one the server's goodbye can cross
 * our request; then it is sent again on a new one, which an idempotent request may be (RFC 9110 9.2.2).
 */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { NameAddress } from '@opentact/runtime';
import { hostOf, portOf } from './guard.ts';
import { DoorError } from './refusals.ts';

const CONNECT_MS_MAX = 5_000;
/** Less than what servers keep an idle connection for: theirs are 5 s and more. */
const KEPT_MS = 1_000;
const KEPT_PER_SERVER = 8;
const HEADER_BYTES_MAX = 16 * 1024;

export type Sending = {
  url: URL;
  /** Request target (RFC 9112 3.2.1). */
  target: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
  /** Judged; one of them is connected to. */
  addresses: readonly NameAddress[];
  account: string;
};

export type Sender = {
  /** @throws what the connection says, DoorError `timeout` where there is none in 5 s, or the signal's reason */
  send(request: Sending, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
};

type Kept = { keptFor?: string };

/** Connections of one account to the same addresses of a server are one another's; nobody else's. */
const nameOf = (name: string, options: object | undefined): string => `${name}:${(options as Kept)?.keptFor ?? ''}`;

class KeptHttp extends http.Agent {
  override getName(options?: http.ClientRequestArgs): string {
    return nameOf(super.getName(options), options);
  }
}
class KeptHttps extends https.Agent {
  override getName(options?: https.RequestOptions): string {
    return nameOf(super.getName(options), options);
  }
}

export function createSender(): Sender {
  const keeping = { keepAlive: true, timeout: KEPT_MS, maxFreeSockets: KEPT_PER_SERVER, scheduling: 'lifo' } as const;
  const agents = { 'http:': new KeptHttp(keeping), 'https:': new KeptHttps(keeping) };
  let isClosed = false;
  return {
    async send(request, signal) {
      const agent = request.method === 'GET' ? agents[request.url.protocol as 'http:'] : undefined;
      if (!agent) return attempt(request, false, signal);
      return attempt(request, agent, signal).catch((error: unknown) => {
        if (!(error instanceof Crossed) || isClosed) throw error;
        return attempt(request, false, signal);
      });
    },
    close() {
      isClosed = true;
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** The kept connection was over when the request came. */
class Crossed extends Error {
  override name = 'Crossed';
}

function attempt(request: Sending, agent: http.Agent | false, signal: AbortSignal): Promise<IncomingMessage> {
  const { url, body, account, addresses } = request;
  const options: https.RequestOptions & Kept = {
    host: hostOf(url),
    port: portOf(url),
    path: request.target,
    method: request.method,
    headers: {
      host: url.host,
      // node:http says it of no DELETE by itself.
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...request.headers,
    },
    agent,
    lookup: lookUpAmong(addresses),
    maxHeaderSize: HEADER_BYTES_MAX,
    keptFor: [account, ...addresses.map(({ address }) => address).sort()].join(' '),
  };
  return new Promise((answered, failed) => {
    signal.throwIfAborted();
    const sent = (url.protocol === 'https:' ? https : http).request(options);
    const connecting = setTimeout(late, CONNECT_MS_MAX);
    let answer: IncomingMessage | undefined;
    function late(): void {
      sent.destroy(new DoorError('timeout', `no connection within ${CONNECT_MS_MAX} ms`));
    }
    function giveUp(): void {
      (answer ?? sent).destroy(signal.reason);
    }
    signal.addEventListener('abort', giveUp, { once: true });
    sent.on('socket', (socket) => {
      const isTls = url.protocol === 'https:';
      if (socket.connecting) socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
      else clearTimeout(connecting);
    });
    sent.on('response', (response) => {
      answer = response;
      response.once('close', () => signal.removeEventListener('abort', giveUp));
      response.on('error', () => {}); // told to whoever reads it; nobody may
      answered(response);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const isCrossed = sent.reusedSocket && !answer && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      failed(isCrossed ? new Crossed() : error);
    });
    sent.on('close', () => {
      clearTimeout(connecting);
      if (!answer) signal.removeEventListener('abort', giveUp);
      failed(new DoorError('connect', 'closed without an answer'));
    });
    sent.end(body);
  });
}

/** Names were looked up and judged before. */
function lookUpAmong(addresses: readonly NameAddress[]): LookupFunction {
  return (_hostname, options, answer) => {
    const [first] = addresses;
    if (options.all) answer(null, [...addresses]);
    else answer(null, first!.address, first!.family);
  };
}
