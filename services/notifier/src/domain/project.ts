/**
 * From the journal to what customers are told: one event in, what is remembered of its call and the envelopes that it
 * makes out. No clock: every time is the journal's. Events that customers aren't told of make none.
 */
import type { CallEvent, FactOf } from '@opentact/proto/events';
import { callObject, directionOf, legUuid, secondsOf, toOf } from './call-object.ts';
import { legOf, newest, type PublicCall, type PublicLeg, short, verbKey, withLeg, withVerb } from './public-call.ts';
import { recordTold, transcriptTold } from './recordings.ts';
import { arrivedWith, follow, isAwaited, type One, type UnderWay } from './under-way.ts';

/** An envelope but for its id, its account and its times, which follow from `callId`, `seq`, `index` and `at`. */
export type Told = {
  type: 'call_state' | 'call_flow' | 'call_record' | 'call_transcript';
  callId: string;
  account: string;
  /** Of the journal event that it tells; `index` counts 0, 1 … where one event makes several. */
  seq: number;
  index: number;
  at: number;
  message: string;
  payload: Record<string, unknown>;
  call: Record<string, unknown>;
  callFlow?: Record<string, unknown>;
};

/** What an event says of a leg, beside the leg itself. */
export type Said = Pick<Told, 'type' | 'message' | 'payload' | 'callFlow'>;

/** `call` undefined: nothing is remembered of it (any more). */
export type Projected = { call: PublicCall | undefined; told: Told[] };

/** Gathers what one event makes. `awaited`: the recording, or its words, that were waited for and come with it. */
type Telling = { call: PublicCall; event: CallEvent; awaited: One | undefined; told: Told[] };

/** Learns one event of a call; of a call whose beginning was not read it learns nothing. */
export function project(before: PublicCall | undefined, event: CallEvent): Projected {
  const isFirst = (event.type === 'CallArrived' || event.type === 'CallOrdered') && event.seq === 1;
  const call = isFirst ? arrived(event) : before;
  if (!call) return { call: undefined, told: [] };
  const known = call.underWay ?? NOTHING;
  const underWay = follow(known, event);
  const followed = underWay === known ? call : { ...call, underWay };
  const telling: Telling = { call: followed, event, awaited: arrivedWith(known, event), told: [] };
  if (call.isOver) learnLate(telling, event);
  else learn(telling, event);
  const isDestroyed = legOf(telling.call, 0)?.state === 'destroyed';
  return { call: isDestroyed ? undefined : telling.call, told: telling.told };
}

const NOTHING: UnderWay = {};

function arrived(event: CallEvent<FactOf<'CallArrived' | 'CallOrdered'>>): PublicCall {
  const { appId = '', name = '', autoAnswer = false, maxCallLengthMs = 0 } = event.app ?? {};
  return {
    callId: event.callId,
    account: event.accountId,
    app: { appId, name: short(name), autoAnswer, maxCallLengthMs },
    legs: [
      {
        leg: 0,
        from: short(event.fromNumber),
        to: short(event.toNumber),
        state: 'init',
        initOn: event.at,
        ...(event.type === 'CallOrdered' && { outgoing: true as const }),
      },
    ],
    ...(event.type === 'CallOrdered' && event.batchItem && { batchItem: event.batchItem }),
    running: {},
    bridges: {},
    logs: [],
    records: [],
  };
}

function learn(telling: Telling, event: CallEvent): void {
  const { call } = telling;
  switch (event.type) {
    case 'CallOrdered':
    case 'CallArrived':
      // An edge that took the call over may have heard its INVITE again.
      if (event.seq > 1) return;
      return tellState(telling, call.legs[0]!);
    case 'DialRequested': {
      if (legOf(call, event.leg)) return;
      const { leg, fromUser, target, at: initOn } = event;
      return tellState(telling, { leg, from: short(fromUser), to: short(target), state: 'init', initOn });
    }
    case 'LegRang':
      return change(telling, event.leg, ['init'], { state: 'ringing', ringOn: event.at });
    case 'LegAnswered':
      return change(telling, event.leg, ['init', 'ringing'], { state: 'live', answerOn: event.at });
    case 'LegEnded':
    case 'DialFailed':
      hangUp(telling, event.leg, event.q850 || 16, event.reason);
      // The caller's leg is the call itself: it is destroyed when the call is over.
      return event.leg > 0 ? destroy(telling, event.leg) : undefined;
    case 'CallEnded':
      return over(telling, event);
    case 'PeerJoinRequested': // the other call makes the bridge, and this one is ready for it
      if (!event.hosts) tellState(telling, call.legs[0]!, { state: 'bridged', bridged_with: event.peerCallId });
      return;
    case 'BridgeRequested':
      if (event.callB) {
        telling.call = { ...call, bridges: { ...call.bridges, [event.seq]: [event.legA, event.callB] } };
        return;
      }
      telling.call = { ...call, bridges: { ...call.bridges, [event.seq]: [event.legA, event.legB] } };
      return;
    case 'BridgeStarted':
      return bridged(telling, event.requestId);
    case 'VerbStarted':
      telling.call = { ...call, running: withVerb(call.running, verbKey(event), event.at) };
      return;
    case 'VerbEnded':
      return tellVerb(telling, event);
    case 'RecordFinished':
      return recorded(telling, event);
    case 'TranscriptReady':
      return heard(telling, event);
    default:
  }
}

/** Of a call that is over: its recordings and their words, and once the last of them is known, its end. */
function learnLate(telling: Telling, event: CallEvent): void {
  if (event.type === 'RecordFinished') recorded(telling, event);
  if (event.type === 'TranscriptReady') heard(telling, event);
  if (event.type === 'CallEnded' || !isAwaited(telling.call.underWay ?? NOTHING)) destroy(telling, 0);
}

function recorded(telling: Telling, event: CallEvent<FactOf<'RecordFinished'>>): void {
  const { call } = telling;
  const made = { uuid: event.recordingId, durationMs: event.durationMs, at: event.at };
  // One that two nodes had a hand in may be told of twice.
  const others = call.records.filter(({ uuid }) => uuid !== made.uuid);
  telling.call = { ...call, records: newest(others, made) };
  const { awaited } = telling;
  if (awaited) tell(telling, legOrCaller(telling, awaited.leg), recordTold(telling.call, awaited, event));
}

function heard(telling: Telling, event: CallEvent<FactOf<'TranscriptReady'>>): void {
  const { awaited, call } = telling;
  if (awaited) tell(telling, legOrCaller(telling, awaited.leg), transcriptTold(call, awaited, event));
}

const legOrCaller = ({ call }: Telling, leg: number) => legOf(call, leg) ?? legOf(call, 0)!;

/** The leg is from now on as given, and that is told. */
function tellState(telling: Telling, leg: PublicLeg, payload: Record<string, unknown> = {}): void {
  const { event } = telling;
  telling.call = withLeg(telling.call, leg);
  const state = (payload.state as string | undefined) ?? leg.state;
  tell(telling, leg, {
    type: 'call_state',
    message: `CallSCA ${directionOf(leg)} ${leg.from} > ${toOf(leg)} - ${state}`,
    payload: { state, duration: secondsOf(leg, event.at), ...payload },
  });
}

function tell(telling: Telling, leg: PublicLeg, of: Said): void {
  const { call, event, told } = telling;
  const { callId, seq, at } = event;
  const { account } = call;
  told.push({ ...of, callId, account, seq, at, index: told.length, call: callObject(call, leg, at) });
}

/** A leg moves on; from any other state than these it doesn't. */
function change(telling: Telling, leg: number, from: PublicLeg['state'][], to: Partial<PublicLeg>): void {
  const known = legOf(telling.call, leg);
  if (known && from.includes(known.state)) tellState(telling, { ...known, ...to });
}

function hangUp(telling: Telling, leg: number, q850: number, reason: string): void {
  const ended = { state: 'hangup' as const, hangupOn: telling.event.at, q850, reason: short(reason) };
  change(telling, leg, ['init', 'ringing', 'live'], ended);
}

const destroy = (telling: Telling, leg: number) =>
  change(telling, leg, ['hangup'], { state: 'destroyed', destroyOn: telling.event.at });

/**
 * Whatever is left ends with the call: the dialled legs were told to hang up just before. The caller's is the last, and
 * waits for the recordings that end with it.
 */
function over(telling: Telling, { q850, reason }: FactOf<'CallEnded'>): void {
  for (const { leg } of telling.call.legs.slice(1)) {
    hangUp(telling, leg, q850, reason);
    destroy(telling, leg);
  }
  hangUp(telling, 0, q850, reason);
  if (isAwaited(telling.call.underWay ?? NOTHING)) telling.call = { ...telling.call, isOver: true };
  else destroy(telling, 0);
}

/** Told once of each bridge, however often it is made again after losses. */
function bridged(telling: Telling, request: number): void {
  const { [request]: pair, ...bridges } = telling.call.bridges;
  if (!pair) return;
  telling.call = { ...telling.call, bridges };
  const [a, b] = pair;
  const tellOne = (n: number, with_: string) => {
    const leg = legOf(telling.call, n);
    if (leg) tellState(telling, leg, { state: 'bridged', bridged_with: with_ });
  };
  const { callId } = telling.call;
  if (typeof b === 'string') return tellOne(a, b);
  tellOne(a, legUuid(callId, b));
  tellOne(b, legUuid(callId, a));
}

function tellVerb(telling: Telling, event: CallEvent<FactOf<'VerbEnded'>>): void {
  const { call } = telling;
  const { name, success, document, at } = event;
  const [path, reason, tag] = [short(event.path), short(event.reason), short(event.tag)];
  const { [verbKey(event)]: startedAt = at, ...running } = call.running;
  telling.call = { ...call, running, logs: newest(call.logs, { at, name, path, success, reason, tag }) };
  const command = { name, path, success, reason, tag, document };
  tell(telling, legOf(call, 0)!, {
    type: 'call_flow',
    message: `${name} success: ${success}, reason: ${reason}, path: ${path}`,
    payload: { command: name, ...command },
    callFlow: {
      ...command,
      state: success ? 'success' : 'failed',
      command: name,
      created_on: new Date(startedAt).toISOString(),
      modified_on: new Date(at).toISOString(),
    },
  });
}
