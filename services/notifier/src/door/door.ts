/**
 * The only way out to customers' servers: one HTTP request with everything bounded, each redirect judged like the first
 * address. It refuses what is no HTTP, what is not public or allowed, and more than five redirects.
 */
import type { Readable } from 'node:stream';
import type { Allowed } from '@opentact/runtime';
import { Agent, type Dispatcher } from 'undici';
import { guardedConnector, type Resolve, resolveByDns } from './guard.ts';
import { DoorError, refusalOf } from './refusals.ts';

const REDIRECTS_MAX = 5;
const URL_LENGTH_MAX = 8192;

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

export type DoorRequest = {
  url: string;
  method: Method;
  /** Sent as it is by any method but GET; a redirect that turns it into a GET drops it. */
  body: string;
  /** Headers of one hop, over the body that this hop sends. `isAsked`: it goes to the server that was asked for. */
  headers(body: string, isAsked: boolean): Record<string, string>;
  /** From now to the headers of the last hop, ms. */
  firstByteMs: number;
  /** From now to the last byte, ms. */
  totalMs: number;
  /** Gives up at once, for instance because the caller's story is gone. */
  signal?: AbortSignal;
};

/** An answer whose body is yet to be read, by `body`, which fails by a DoorError at the deadline. */
export type DoorAnswer = { status: number; headers: Record<string, string>; body: Readable; url: string; done(): void };

export type Door = {
  /** @throws DoorError */
  open(request: DoorRequest): Promise<DoorAnswer>;
  close(): Promise<void>;
};

function parseUrl(text: string, base?: string): URL {
  const url = text.length <= URL_LENGTH_MAX && URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (!url) throw new DoorError('bad-url', 'not a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new DoorError('bad-url', `${url.protocol} is neither http: nor https:`);
  return url;
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

/** `user:password@` of a URL becomes what it means, and stays with its own hop. */
function authorization(url: URL): Record<string, string> {
  if (!url.username) return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** The deadlines of one request, as a signal whose reason is the refusal. */
function deadlines(request: DoorRequest): { signal: AbortSignal; answered(): void; done(): void } {
  const end = new AbortController();
  const after = (ms: number, what: string) =>
    setTimeout(() => end.abort(new DoorError('timeout', `${what} within ${ms} ms`)), ms);
  const first = after(Math.min(request.firstByteMs, request.totalMs), 'no answer');
  const total = after(request.totalMs, 'not all of the answer');
  const given = () => end.abort(request.signal?.reason);
  if (request.signal?.aborted) given();
  request.signal?.addEventListener('abort', given);
  return {
    signal: end.signal,
    answered: () => clearTimeout(first),
    done() {
      clearTimeout(first);
      clearTimeout(total);
      request.signal?.removeEventListener('abort', given);
    },
  };
}

type Hop = { url: URL; method: Method; body: string };

/** Where an answer sends us; undefined: it is the last. 303 asks by GET, so do 301 and 302 after a POST (RFC 9110 15.4). */
function nextHop(hop: Hop, { statusCode, headers }: Dispatcher.ResponseData): Hop | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || typeof headers.location !== 'string') return undefined;
  const url = parseUrl(headers.location, hop.url.href);
  const turns = statusCode === 303 || ((statusCode === 301 || statusCode === 302) && hop.method === 'POST');
  return turns ? { url, method: 'GET', body: '' } : { ...hop, url };
}

/** @param resolve names to addresses; tests give their own. */
export function createDoor(of: { allowed: readonly Allowed[]; userAgent: string; resolve?: Resolve }): Door {
  const agent = new Agent({
    connect: guardedConnector(of.allowed, of.resolve ?? resolveByDns),
    // A connection per request: on a kept one a server's goodbye can cross our request, and then nobody knows
    // whether it was heard.
    pipelining: 0,
    maxHeaderSize: 16 * 1024,
  });

  function ask(hop: Hop, request: DoorRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { origin, pathname, search } = hop.url;
    const headers = {
      'user-agent': of.userAgent,
      'accept-encoding': 'identity',
      ...authorization(hop.url),
      ...request.headers(hop.body, origin === parseUrl(request.url).origin),
    };
    return agent.request({
      origin,
      path: pathname + search,
      method: hop.method,
      headers,
      signal,
      body: hop.method === 'GET' || (hop.method === 'DELETE' && hop.body === '') ? null : hop.body,
      headersTimeout: request.totalMs,
      bodyTimeout: request.totalMs,
    });
  }
  async function follow(request: DoorRequest, signal: AbortSignal): Promise<[Hop, Dispatcher.ResponseData]> {
    let hop: Hop = { url: parseUrl(request.url), method: request.method, body: request.body };
    for (let redirects = 0; ; redirects++) {
      const answer = await ask(hop, request, signal);
      const next = nextHop(hop, answer);
      if (!next) return [hop, answer];
      answer.body.on('error', () => {}).destroy();
      if (redirects === REDIRECTS_MAX) throw new DoorError('redirects', `more than ${REDIRECTS_MAX} redirects`);
      hop = next;
    }
  }
  return {
    async open(request) {
      const limits = deadlines(request);
      try {
        const [hop, answer] = await follow(request, limits.signal);
        limits.answered();
        const { statusCode: status, headers, body } = answer;
        return { status, headers: plainHeaders(headers), body, url: hop.url.href, done: limits.done };
      } catch (error) {
        limits.done();
        throw refusalOf(limits.signal.aborted ? limits.signal.reason : error);
      }
    },
    close: () => agent.close(),
  };
}

/**
 * The whole body.
 * @throws DoorError `too-large` past `bytesMax`, `timeout` at the deadline, `connect` where the server broke off.
 */
export async function readWhole(answer: DoorAnswer, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length > bytesMax) throw new DoorError('too-large', `more than ${bytesMax} bytes`, { status: answer.status });
    }
    return Buffer.concat(chunks, length);
  } catch (error) {
    throw refusalOf(error);
  } finally {
    answer.done();
  }
}
