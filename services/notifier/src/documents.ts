/**
 * Answers `DocumentRequested`: one request to the customer's server, and its answer word for word as a fact. Nothing is
 * fetched twice for one ask: whether to try again is the flow's choice.
 */
import type { Asked, NodeLink } from '@opentact/link';
import { decodeEvent, encodeEvent, type FactOf } from '@opentact/proto';
import { type Logger, maskUrl } from '@opentact/runtime';
import { type Door, METHODS, type Method, readWhole } from './door/door.ts';
import type { Gate } from './door/gate.ts';
import { DoorError, refusalOf } from './door/refusals.ts';
import { customHeaders } from './headers.ts';
import { signatureHeaders } from './sign.ts';
import { decompressed, textOf } from './text.ts';

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

/** What a document didn't ask for otherwise. */
const ACCEPTED: Record<string, string> = { curl: 'application/json, */*;q=0.5' };
const A_DOCUMENT = 'application/xml, text/xml, */*;q=0.5';

const methodOf = ({ method }: Request): Method => METHODS.find((known) => known === method.toUpperCase()) ?? 'GET';

const totalMsOf = (request: Request): number => Math.min(request.timeoutMs || TOTAL_MS, TOTAL_MS_MAX);

/** One request, start to end; its time counts from `started`. @throws DoorError */
async function fetchOnce(
  of: Fetching,
  request: Request & { account: string },
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
    account: request.account,
    method,
    body: method === 'GET' ? '' : request.body,
    headers: ({ isAsked, ...hop }) => ({
      accept: ACCEPTED[request.purpose] ?? A_DOCUMENT,
      ...(hop.body === '' ? {} : { 'content-type': 'application/json' }),
      // They are for the server that the document names, and for no other that it sends us to.
      ...(isAsked ? asked : {}),
      'idempotency-key': request.idempotencyKey,
      ...(isAsked ? signatureHeaders(key, { ...hop, idempotencyKey: request.idempotencyKey }, of.now()) : {}),
    }),
    firstByteMs: FIRST_BYTE_MS,
    totalMs: Math.max(1, totalMsOf(request) - (of.now() - started)),
    signal,
  });
  const body = await readWhole(answer, BODY_BYTES_MAX);
  const { status } = answer;
  if (status < 200 || status > 299) throw new DoorError('http', `status ${status}`, { status });
  const contentType = answer.headers['content-type'] ?? '';
  const plain = decompressed(body, answer.headers['content-encoding'], status, BODY_BYTES_MAX);
  const text = textOf(plain, contentType, status);
  if (Buffer.byteLength(text) > BODY_BYTES_MAX)
    throw new DoorError('too-large', `more than ${BODY_BYTES_MAX} bytes as UTF-8`, { status });
  return {
    type: 'DocumentFetched',
    requestId: 0,
    status,
    contentType: contentType.slice(0, 200),
    body: text,
    tookMs: Math.max(0, Math.round(of.now() - started)),
  };
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'no origin');

/** What the world made of one request; never throws. @param account whose share it takes */
export async function fetchDocument(
  of: Fetching,
  request: Request,
  account: string,
  signal: AbortSignal,
): Promise<DocumentAnswer> {
  let leave = () => {};
  const started = of.now();
  try {
    const server = `${request.appId} ${originOf(request.url)}`;
    leave = await of.gate.enter({ account, server }, totalMsOf(request), signal);
    return await fetchOnce(of, { ...request, account }, started, signal);
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

  async function answer({ key, seq, payload, account }: Asked): Promise<void> {
    const request = decodeEvent(payload);
    if (request.type !== 'DocumentRequested') {
      of.log.error({ callId: key, seq, type: request.type }, 'asked for what is not ours');
      return;
    }
    const controller = underWay.get(key) ?? new AbortController();
    underWay.set(key, controller);
    const fact = { ...(await fetchDocument(of, request, account, controller.signal)), requestId: seq };
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
