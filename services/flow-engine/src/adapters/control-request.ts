/** What a client of CallControl asked for, checked: it refuses by INVALID_ARGUMENT, which names the field and the remedy. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { writtenNumber } from '@opentact/numbering';
import { type App, type CallV1, type FactOf, parseLegUuid } from '@opentact/proto';
import { boundedAttribution } from '@opentact/proto/call-view';
import type { Fault } from '../domain/language/element.ts';
import { addressTarget, numberTarget, shownNumber } from '../domain/verbs/target.ts';

/** An answer of CallControl that is no success. */
export class Refused extends Error {
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

const wrong = (message: string) => new Refused(status.INVALID_ARGUMENT, message);

const KEY_MAX = 128;
const RING_DEFAULT_MS = 30_000;
const RING_MIN_MS = 5_000;
const RING_MAX_MS = 120_000;
const URL_MAX = 2_048;
const RECORD_CALLS_MAX = 2;

/** The call that a call's or a leg's uuid names. */
export function callIdOf(text: string, field = 'call_id'): string {
  const found = parseLegUuid(text.toLowerCase());
  if (!found) throw wrong(`${field}: "${text.slice(0, 50)}" is not the uuid of a call`);
  return found.callId;
}

/** The key given, or a new one. */
export function keyOf(text: string): string {
  if (text.length > KEY_MAX) throw wrong(`idempotency_key: ${KEY_MAX} characters at most`);
  return text || randomUUID();
}

/** Why no call could run a document. */
export const documentFault = ({ line, column, reason }: Fault): Refused =>
  wrong(`xml: line ${line}, column ${column}: ${reason}`);

/** The order as the first event of its call; whether its document can be run is asked elsewhere. */
export function orderOf(request: CallV1.PlaceCallRequest): FactOf<'CallOrdered'> {
  const { accountId, from, to, xml, app, ringTimeoutMs, idempotencyKey, batchItem, attribution } = request;
  if (!/^[\w-]{1,64}$/.test(accountId)) throw wrong('account_id: the uuid of the account that pays for the call');
  if (!/^\+?[\w.-]{0,64}$/.test(shownNumber(from))) throw wrong('from: digits, or a user name');
  const target = numberTarget(to) ?? addressTarget(to);
  if (!target) throw wrong(`to: "${to.slice(0, 60)}" is neither a phone number nor sip:user@host`);
  if (ringTimeoutMs !== 0 && (ringTimeoutMs < RING_MIN_MS || ringTimeoutMs > RING_MAX_MS))
    throw wrong(`ring_timeout_ms: ${RING_MIN_MS} to ${RING_MAX_MS}; 0 is ${RING_DEFAULT_MS}`);
  if ((request.recordCalls ?? 0) > RECORD_CALLS_MAX) throw wrong(`record_calls: 0 to ${RECORD_CALLS_MAX}`);
  if (batchItem.length > 64) throw wrong('batch_item: 64 characters at most');
  return {
    type: 'CallOrdered',
    accountId,
    fromNumber: shownNumber(from),
    toNumber: writtenNumber(to) ?? to, // one number, one notion: however it is written
    target,
    app: appOf(request, accountId, app, xml),
    idempotencyKey,
    ringTimeoutMs: ringTimeoutMs || RING_DEFAULT_MS,
    ...(batchItem && { batchItem }),
    ...(attribution && { attribution: boundedAttribution(attribution) }),
  };
}

function appOf(
  { callFlowUrl, callFlowMethod, recordCalls }: CallV1.PlaceCallRequest,
  accountId: string,
  app: App | undefined,
  xml: string,
): App {
  if (xml === '' && callFlowUrl === '')
    throw wrong('xml: what the callee hears; or call_flow_url, where it is asked for');
  if (
    callFlowUrl !== '' &&
    (callFlowUrl.length > URL_MAX || !URL.canParse(callFlowUrl) || !/^https?:/i.test(callFlowUrl))
  )
    throw wrong(`call_flow_url: an http or https address of ${URL_MAX} characters at most`);
  if (!/^(GET|POST)?$/.test(callFlowMethod)) throw wrong('call_flow_method: GET or POST');
  return {
    appId: app?.appId || accountId,
    name: app?.name ?? '',
    autoAnswer: false,
    callFlowUrl,
    callFlowMethod: callFlowMethod || 'GET',
    callFlowTimeoutMs: app?.callFlowTimeoutMs ?? 0,
    staticDocument: xml,
    maxCallLengthMs: app?.maxCallLengthMs ?? 0,
    timeZone: app?.timeZone ?? '',
    ...(recordCalls && { recordCalls }),
  };
}
