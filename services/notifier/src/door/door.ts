/**
 * The only way out to customers' servers: one HTTP request with everything bounded, each redirect judged like the first
 * address. It refuses what is no HTTP, what is not public or allowed, and more than five redirects.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { type Allowed, createNames } from '@opentact/runtime';
import { type Address, basicAuthorization, parseAddress, receivedAs } from './address.ts';
import { judged, type Resolve } from './guard.ts';
import { DoorError, refusalOf } from './refusals.ts';
import { createSender } from './sender.ts';

const REDIRECTS_MAX = 5;

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

/** One hop as it is sent. */
export type HopRequest = {
  method: Method;
  /** Origin and request target. */
  url: string;
  body: string;
  /** It and every hop before it go to the origin that was asked for: what leaves there and comes back was chosen by others. */
  isAsked: boolean;
};

export type DoorRequest = {
  url: string;
  /** Whose share of the look-ups of names it takes. */
  account: string;
  method: Method;
  /** Sent as it is by any method but GET; a redirect that turns it into a GET drops it. */
  body: string;
  /** Headers of one hop. */
  headers(hop: HopRequest): Record<string, string>;
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
  close(): void;
};

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

/** The deadlines of one request, as a signal whose reason is the refusal. */
function deadlines(request: DoorRequest): {
  signal: AbortSignal;
  answered(): void;
  done(): void;
  /** Ends whatever is still open of the request. */
  abandon(reason: DoorError): void;
} {
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
    abandon: (reason) => end.abort(reason),
    done() {
      clearTimeout(first);
      clearTimeout(total);
      request.signal?.removeEventListener('abort', given);
    },
  };
}

type Hop = { address: Address; method: Method; body: string; isAsked: boolean };

/** Where an answer sends us; undefined: it is the last. 303 asks by GET, so do 301 and 302 after a POST (RFC 9110 15.4). */
function nextHop(hop: Hop, { statusCode = 0, headers }: IncomingMessage): Hop | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return undefined;
  const address = parseAddress(headers.location, hop.address);
  const isAsked = hop.isAsked && address.url.origin === hop.address.url.origin;
  const turns = statusCode === 303 || ((statusCode === 301 || statusCode === 302) && hop.method === 'POST');
  return turns ? { address, isAsked, method: 'GET', body: '' } : { ...hop, address, isAsked };
}

/** @param resolve names to addresses; tests give their own. */
export function createDoor(of: { allowed: readonly Allowed[]; userAgent: string; resolve?: Resolve }): Door {
  const judging = { allowed: of.allowed, resolve: of.resolve ?? createNames().addresses };
  const sender = createSender();

  async function ask(hop: Hop, request: DoorRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { address, method, body, isAsked } = hop;
    const { url, target } = address;
    const { account } = request;
    const addresses = await judged(judging, { url, account }, signal);
    const headers = {
      'user-agent': of.userAgent,
      'accept-encoding': 'identity',
      ...basicAuthorization(url),
      ...request.headers({ method, body, isAsked, url: receivedAs(address) }),
    };
    const hasBody = method !== 'GET' && !(method === 'DELETE' && body === '');
    const sending = { url, target, method, headers, account, addresses, body: hasBody ? body : undefined };
    return sender.send(sending, signal);
  }
  async function follow(request: DoorRequest, signal: AbortSignal): Promise<[Hop, IncomingMessage]> {
    const { method, body } = request;
    let hop: Hop = { address: parseAddress(request.url), method, body, isAsked: true };
    for (let redirects = 0; ; redirects++) {
      const answer = await ask(hop, request, signal);
      const next = nextHop(hop, answer);
      if (!next) return [hop, answer];
      answer.on('error', () => {}).destroy();
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
        const { statusCode: status = 0, headers } = answer;
        return { status, headers: plainHeaders(headers), body: answer, url: hop.address.url.href, done: limits.done };
      } catch (error) {
        limits.done();
        const refusal = refusalOf(limits.signal.aborted ? limits.signal.reason : error);
        limits.abandon(refusal);
        throw refusal;
      }
    },
    close: () => sender.close(),
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
