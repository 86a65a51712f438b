/**
 * Answers `DocumentRequested`: one request to the customer's server, and its answer word for word as a fact. Nothing is
 * fetched twice for one ask: whether to try again is the flow's choice.
 */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { Asked, NodeLink } from '@opentact/link';
import { decodeEvent, encodeEvent, type FactOf } from '@opentact/proto';
import { type Logger, maskUrl } from '@opentact/runtime';
import { type Door, type DoorAnswer, METHODS, type Method, readWhole } from './door/door.ts';
import type { Gate } from './door/gate.ts';
import { DoorError, refusalOf } from './door/refusals.ts';
import { customHeaders } from './headers.ts';
import { signatureHeaders } from './sign.ts';

const BODY_BYTES_MAX = 64 * 1024;
const FIRST_BYTE_MS = 5000;
const TOTAL_MS = 10_000;
const TOTAL_MS_MAX = 60_000;

type Request = FactOf<'DocumentRequested'>;
export type DocumentAnswer = FactOf<'DocumentFetched'> | FactOf<'DocumentFailed'>;

export type Fetching = {
  door: Door;
  gate: Gate;
  /** The key that signs for an app. */
  keyOf(appId: string): Promise<Uint8Array>;
  now(): number;
};

/** Some servers compress whatever they are asked. The limit holds for what comes out, too. */
function decoded(answer: DoorAnswer, body: Buffer): Buffer {
  const how = answer.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const open = { gzip: gunzipSync, 'x-gzip': gunzipSync, deflate: inflateSync, br: brotliDecompressSync }[how];
  try {
    return open ? open(body, { maxOutputLength: BODY_BYTES_MAX }) : body;
  } catch (error) {
    const { status } = answer;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new DoorError('too-large', `more than ${BODY_BYTES_MAX} bytes once decompressed`, { status });
    throw new DoorError('http', `body is not ${how}`, { status, cause: error });
  }
}

/** What a document didn't ask for otherwise. */
const ACCEPTED: Record<string, string> = { curl: 'application/json, */*;q=0.5' };
const A_DOCUMENT = 'application/xml, text/xml, */*;q=0.5';

const methodOf = ({ method }: Request): Method => METHODS.find((known) => known === method.toUpperCase()) ?? 'GET';

const totalMsOf = (request: Request): number => Math.min(request.timeoutMs || TOTAL_MS, TOTAL_MS_MAX);

/** One request, start to end; its time counts from `started`. @throws DoorError */
async function fetchOnce(
  of: Fetching,
  request: Request,
  started: number,
  signal: AbortSignal,
): Promise<FactOf<'DocumentFetched'>> {
  const method = methodOf(request);
  const asked = customHeaders(request.headers);
  const key = await of.keyOf(request.appId).catch((cause) => {
    throw new DoorError('connect', 'no signing key: the Directory is away', { cause });
  });
  const answer = await of.door.open({
    url: request.url,
    method,
    body: method === 'GET' ? '' : request.body,
    headers: (body, isAsked) => ({
      accept: ACCEPTED[request.purpose] ?? A_DOCUMENT,
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
      // They are for the server that the document names, and for no other that it sends us to.
      ...(isAsked ? asked : {}),
      'idempotency-key': request.idempotencyKey,
      ...signatureHeaders(key, body, of.now()),
    }),
    firstByteMs: FIRST_BYTE_MS,
    totalMs: Math.max(1, totalMsOf(request) - (of.now() - started)),
    signal,
  });
  const body = await readWhole(answer, BODY_BYTES_MAX);
  const { status } = answer;
  if (status < 200 || status > 299) throw new DoorError('http', `status ${status}`, { status });
  return {
    type: 'DocumentFetched',
    requestId: 0,
    status,
    contentType: (answer.headers['content-type'] ?? '').slice(0, 200),
    body: new TextDecoder().decode(decoded(answer, body)),
    tookMs: Math.max(0, Math.round(of.now() - started)),
  };
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'no origin');

/** What the world made of one request; never throws. */
export async function fetchDocument(of: Fetching, request: Request, signal: AbortSignal): Promise<DocumentAnswer> {
  let leave = () => {};
  const started = of.now();
  try {
    leave = await of.gate.enter(`${request.appId} ${originOf(request.url)}`, totalMsOf(request));
    return await fetchOnce(of, request, started, signal);
  } catch (error) {
    const { reason, message, status } = refusalOf(error);
    return { type: 'DocumentFailed', requestId: 0, reason, detail: message.slice(0, 500), status };
  } finally {
    leave();
  }
}

/** Takes the asks of the link. `gone` ends what is under way for a key, `held` names the keys that something is under way for. */
export function createDocuments(of: Fetching & { link: () => Pick<NodeLink, 'report'>; log: Logger }) {
  const underWay = new Map<string, AbortController>();

  async function answer({ key, seq, payload }: Asked): Promise<void> {
    const request = decodeEvent(payload);
    if (request.type !== 'DocumentRequested') {
      of.log.error({ callId: key, seq, type: request.type }, 'asked for what is not ours');
      return;
    }
    const controller = underWay.get(key) ?? new AbortController();
    underWay.set(key, controller);
    const fact = { ...(await fetchDocument(of, request, controller.signal)), requestId: seq };
    const fields =
      fact.type === 'DocumentFetched' ? { status: fact.status, tookMs: fact.tookMs } : { reason: fact.reason };
    of.log.info({ callId: key, seq, url: maskUrl(request.url), ...fields }, fact.type);
    if (controller.signal.aborted) return;
    await of.link().report(key, encodeEvent(fact));
  }
  const counts = new Map<string, number>();
  function count(key: string, by: number): void {
    const now = (counts.get(key) ?? 0) + by;
    if (now > 0) counts.set(key, now);
    else {
      counts.delete(key);
      underWay.delete(key);
    }
  }
  return {
    ask(asked: Asked): void {
      count(asked.key, 1);
      answer(asked)
        .catch((err) => of.log.warn({ callId: asked.key, seq: asked.seq, err }, 'a document’s answer was not wanted'))
        .finally(() => count(asked.key, -1));
    },
    gone: (key: string) => underWay.get(key)?.abort(new DoorError('connect', 'the call is over')),
    held: () => [...counts.keys()],
    underWay: () => [...counts.values()].reduce((sum, n) => sum + n, 0),
  };
}
