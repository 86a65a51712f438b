/** States that older versions wrote, as they are understood today. A version is a shape of `Call`, not of its meaning. */
import type { PublicCall } from '@opentact/proto/call-view';
import { HELPERS } from '@opentact/proto/requests';
import { type Call, SNAPSHOT_VERSION } from './call.ts';

type Older = { legs: Array<Record<string, unknown>> } & Record<string, unknown>;

/** The steps from version 1 to 2, from 2 to 3 … */
const UPCASTS: Array<(call: Older) => Older> = [
  // An offer that waited for its answer was only its transaction; that it had an SDP is known by the story alone.
  (call) => ({
    ...call,
    legs: call.legs.map((leg) =>
      typeof leg.offer === 'string' ? { ...leg, offer: { transaction: leg.offer, sdp: '' } } : leg,
    ),
  }),
  // The call as customers see it was not kept: what its story told before, its lists and times, is left out.
  (call) => ({ ...call, view: viewOf(call as unknown as Call) }),
];

const VIEWED = { arrived: 'init', answering: 'init', preparing: 'init', dialling: 'init', answered: 'live' } as const;

function viewOf({ id, at, seq, account, app, from, to, arrivedAt, outbound, legs, ended }: Call): PublicCall {
  const { appId, name, autoAnswer, maxCallLengthMs } = app;
  return {
    callId: id,
    account,
    modifiedOn: at,
    seq,
    app: { appId, name, autoAnswer, maxCallLengthMs },
    legs: legs.map(({ state, ringing, answeredAt, target }, leg) => ({
      leg,
      from: leg === 0 ? from : '',
      to: leg === 0 ? to : target,
      state: ended || (state === 'ended' && leg > 0) ? 'destroyed' : stateOf(state, ringing),
      initOn: arrivedAt,
      ...(ended && { hangupOn: ended.at, destroyOn: ended.at, q850: ended.q850, reason: ended.reason }),
      ...(answeredAt > 0 && { answerOn: answeredAt }),
      ...(leg === 0 && outbound && { outgoing: true as const }),
    })),
    ...(ended && { ended: { owner: ended.owner, reason: ended.reason } }),
    running: {},
    bridges: {},
    logs: [],
    records: [],
  };
}

const stateOf = (state: Call['legs'][number]['state'], ringing: boolean) =>
  state === 'ended' ? 'hangup' : ringing && state !== 'answered' ? 'ringing' : VIEWED[state];

/** The state as of today; undefined where it can't be had from that version (then the story is folded from its start). */
export function upcastCall(version: number, call: unknown): Call | undefined {
  if (!(version >= 1 && version <= SNAPSHOT_VERSION)) return undefined;
  return UPCASTS.slice(version - 1).reduce((older, step) => step(older), call as Older) as unknown as Call;
}

type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isOneOf =
  (...words: string[]): Check =>
  (value) =>
    words.includes(value as string);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const shape =
  (fields: Record<string, Check>): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

const isNode = shape({ node: isText, boot: isText });
const isVerb = shape({ name: isText });
const isRequest = shape({ type: isText, seq: isNumber, callId: isText, at: isNumber, to: maybe(isNode) });
const isRunning = shape({ verb: isVerb, path: isText, document: isNumber, seq: isNumber, memory: isObject });
const isFrame = shape({
  path: isText,
  verbs: listOf(isVerb),
  next: isNumber,
  document: isNumber,
  opener: maybe(isRunning),
});
const isLeg = shape({
  state: isOneOf('arrived', 'answering', 'preparing', 'dialling', 'answered', 'ended'),
  edge: maybe(isNode),
  dialog: maybe(isObject),
  unconfirmed: maybe(shape({ answer: isNumber, sdp: isText })),
  session: maybe(shape({ node: isNode, sdp: isText, sdpVersion: isNumber, request: maybe(isNumber) })),
  moving: maybe(shape({ stage: isText, sdpVersion: isNumber })),
  offer: maybe(shape({ transaction: isText, sdp: isText })),
  ringing: isFlag,
  held: isFlag,
  answeredAt: isNumber,
  target: isText,
  keys: maybe(isOneOf('rtp', 'info')),
  recordEndedAt: maybe(isNumber),
});
const isFlow = shape({
  document: isNumber,
  documents: isNumber,
  frames: listOf(isFrame),
  running: maybe(isRunning),
  responseError: maybe(listOf(isVerb)),
  ahead: isText,
  lastDigits: isText,
  meta: maybe(isObject),
});
const isApp = shape({
  appId: isText,
  name: isText,
  autoAnswer: isFlag,
  callFlowUrl: isText,
  callFlowMethod: isText,
  callFlowTimeoutMs: isNumber,
  maxCallLengthMs: isNumber,
});
/** A Date can say it (ECMA-262 21.4.1.1). */
const isTime: Check = (value) => isNumber(value) && Math.abs(value as number) <= 8.64e15;
const STAMPS = { createdAt: isTime, modifiedAt: isTime };
const isAttribution = shape({
  account: maybe(shape({ name: isText, email: isText, level: isText, ...STAMPS })),
  app: maybe(shape({ isActive: isFlag, ...STAMPS })),
  number: maybe(shape({ number: isText, lease: maybe(shape({ leaseId: isText, expiresAt: isTime, ...STAMPS })) })),
  domain: maybe(shape({ domain: isText, ...STAMPS })),
  switch: maybe(shape({ switchId: isText, name: isText, ...STAMPS })),
  user: maybe(shape({ userId: isText, login: isText, ...STAMPS })),
  connection: maybe(shape({ connectionId: isText, name: isText, ...STAMPS })),
});
const isView = shape({
  callId: isText,
  account: isText,
  modifiedOn: isNumber,
  seq: isNumber,
  app: isObject,
  attribution: maybe(isAttribution),
  legs: listOf(
    shape({
      leg: isNumber,
      from: isText,
      to: isText,
      state: isOneOf('init', 'ringing', 'live', 'hangup', 'destroyed'),
      initOn: isNumber,
    }),
  ),
  running: mapOf(isNumber),
  bridges: mapOf(Array.isArray),
  logs: listOf(shape({ at: isNumber, name: isText, path: isText, success: isFlag, reason: isText, tag: isText })),
  records: listOf(shape({ uuid: isText, durationMs: isNumber, at: isNumber })),
  underWay: maybe(mapOf(shape({ leg: isNumber, at: isText }))),
  ended: maybe(shape({ owner: isText, reason: isText })),
});
const isWholeCall = shape({
  id: isText,
  seq: isNumber,
  at: isNumber,
  state: isOneOf('new', 'live', 'ended', 'faulted'),
  account: isText,
  from: isText,
  to: isText,
  app: isApp,
  offer: isText,
  invite: maybe(shape({ bytes: isText, transport: isText, sourceAddress: isText })),
  origin: shape({ topBranch: isText, requestUri: isText }),
  arrivedAt: isNumber,
  legs: listOf(isLeg),
  peer: maybe(shape({ callId: isText })),
  ...Object.fromEntries(HELPERS.map((kind) => [kind, maybe(isNode)])),
  media: maybe(isNode),
  edge: maybe(isNode),
  seen: mapOf(isNumber),
  outstanding: mapOf(isRequest),
  answered: listOf(isRequest),
  timers: mapOf(shape({ purpose: isText, dueAt: isNumber })),
  recordings: mapOf(isText),
  flow: isFlow,
  orders: listOf(isText),
  ended: maybe(shape({ owner: isText, reason: isText, q850: isNumber, at: isNumber })),
  view: maybe(isView),
});

/** Has it the shape of a call, so that everything that reads one may? A snapshot is a cache, and may hold anything. */
export const isCall = (value: unknown): value is Call => isWholeCall(value);
