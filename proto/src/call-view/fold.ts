/**
 * The one fold from a call's story to what customers see of it. No clock: every time is the journal's. Beside the call it
 * says what the event changed, for whoever tells it on.
 */
import type { CallEvent, FactOf, FactType } from '../events.ts';
import { boundedAttribution } from './attribution.ts';
import { legUuid } from './call-object.ts';
import {
  type CommandLog,
  legOf,
  newest,
  type PublicCall,
  type PublicLeg,
  short,
  verbKey,
  withLeg,
  withVerb,
} from './public-call.ts';
import { arrivedWith, follow, isAwaited, type RecordingUnderWay, type UnderWay } from './under-way.ts';

/** What one event changed. `call`: as it is with this change, and not yet with those behind it. */
export type Change = { call: PublicCall; leg: PublicLeg } & (
  | { of: 'state'; state: PublicLeg['state'] }
  /** `with`: uuid of the other leg, or of the other call. */
  | { of: 'bridge'; with: string }
  /** `element`: JSON of an object; absent where its story doesn't tell it. */
  | { of: 'verb'; verb: CommandLog & { document: number; startedAt: number; element?: string } }
  /** It was answered without an Answer verb; `document` 0: before any ran. */
  | { of: 'answer'; document: number }
  | { of: 'record'; recording: RecordingUnderWay; event: CallEvent<FactOf<'RecordFinished'>> }
  | { of: 'transcript'; recording: RecordingUnderWay; event: CallEvent<FactOf<'TranscriptReady'>> }
);

/** `call` undefined: its beginning was not read. */
export type Folded = { call: PublicCall | undefined; changes: Change[] };

/** What is folded of one event: the call so far, and its changes. */
type Folding = { call: PublicCall; event: CallEvent; awaited: RecordingUnderWay | undefined; changes: Change[] };

const NOTHING: UnderWay = {};
const NONE: Change[] = [];

/** Learns one event of a call; of a call whose beginning was not read it learns nothing. The same object where nothing changed. */
export function foldCall(before: PublicCall | undefined, event: CallEvent): Folded {
  const isFirst = (event.type === 'CallArrived' || event.type === 'CallOrdered') && event.seq === 1;
  const call = isFirst ? begun(event) : before;
  if (!call) return { call: undefined, changes: NONE };
  // What comes after its last event is told nowhere: a bridge that stood a moment too late.
  if (isDestroyed(call)) return { call, changes: NONE };
  const known = call.underWay ?? NOTHING;
  const underWay = follow(known, event);
  const followed = underWay === known ? call : { ...call, underWay };
  const folding: Folding = { call: followed, event, awaited: arrivedWith(known, event), changes: [] };
  if (call.isOver) learnLate(folding, event);
  else learn(folding, event);
  if (folding.call === before) return { call: before, changes: folding.changes };
  return { call: { ...folding.call, modifiedOn: event.at, seq: event.seq }, changes: folding.changes };
}

/** Events from which nothing is learned here: whoever folds may pass them over unread. */
export const UNSEEN: ReadonlySet<FactType> = new Set<FactType>([
  'NodeRequested',
  'NodeAssigned',
  'SessionReady',
  'SessionChangeRequested',
  'SessionChanged',
  'DocumentRequested',
  'DocumentFetched',
  'DocumentAccepted',
  'PlayRequested',
  'PlayFinished',
  'PlayStopRequested',
  'PlayStopped',
  'DigitPressed',
  'TimerSet',
  'TimerCancelled',
  'TimerFired',
  'MetaSet',
  'LocationRequested',
  'LocationFound',
  'GroupRequested',
  'GroupFound',
  'LookUpFailed',
]);

/** Is nothing more to be told of it? */
export const isDestroyed = (call: PublicCall) => legOf(call, 0)?.state === 'destroyed';

function begun(event: CallEvent<FactOf<'CallArrived' | 'CallOrdered'>>): PublicCall {
  const { appId = '', name = '', autoAnswer = false, maxCallLengthMs = 0 } = event.app ?? {};
  return {
    callId: event.callId,
    account: event.accountId,
    modifiedOn: event.at,
    seq: event.seq,
    app: { appId, name: short(name), autoAnswer, maxCallLengthMs },
    ...(event.attribution && { attribution: boundedAttribution(event.attribution) }),
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

function learn(folding: Folding, event: CallEvent): void {
  const { call } = folding;
  switch (event.type) {
    case 'CallOrdered':
    case 'CallArrived':
      // An edge that took the call over may have heard its INVITE again.
      if (event.seq > 1) return;
      return setLeg(folding, call.legs[0]!);
    case 'DialRequested': {
      if (legOf(call, event.leg)) return;
      const { leg, fromUser, target, at: initOn } = event;
      return setLeg(folding, { leg, from: short(fromUser), to: short(target), state: 'init', initOn });
    }
    case 'LegRang':
      return change(folding, event.leg, ['init'], { state: 'ringing', ringOn: event.at });
    case 'LegAnswered':
      change(folding, event.leg, ['init', 'ringing'], { state: 'live', answerOn: event.at });
      if (event.leg === 0 && legOf(call, 0)?.state !== legOf(folding.call, 0)?.state)
        folding.call = { ...folding.call, isAnswerUntold: true };
      return;
    case 'LegEnded':
    case 'DialFailed':
      hangUp(folding, event.leg, event.q850 || 16, event.reason);
      // The caller's leg is the call itself: it is destroyed when the call is over.
      return event.leg > 0 ? destroy(folding, event.leg) : undefined;
    case 'CallEnded':
      return over(folding, event);
    case 'PeerJoinRequested': // the other call makes the bridge, and this one is ready for it
      if (!event.hosts) tell(folding, { leg: call.legs[0]!, of: 'bridge', with: event.peerCallId });
      return;
    case 'BridgeRequested':
      folding.call = { ...call, bridges: { ...call.bridges, [event.seq]: [event.legA, event.callB || event.legB] } };
      return;
    case 'BridgeStarted':
      return bridged(folding, event.requestId);
    case 'VerbStarted':
      if (event.name !== 'Answer') tellAnswer(folding, event.document);
      folding.call = { ...folding.call, running: withVerb(call.running, verbKey(event), event.at) };
      return;
    case 'VerbEnded':
      return verbEnded(folding, event);
    case 'RecordFinished':
      return recorded(folding, event);
    case 'TranscriptReady':
      return heard(folding, event);
    default:
  }
}

/** That the call is answered is told before the first verb that runs, unless that is an Answer, whose end tells it. */
function tellAnswer(folding: Folding, document: number): void {
  const { isAnswerUntold, ...call } = folding.call;
  if (!isAnswerUntold) return;
  folding.call = call;
  tell(folding, { leg: legOf(call, 0)!, of: 'answer', document });
}

/** Of a call that is over: its recordings and their words, and once the last of them is known, its end. */
function learnLate(folding: Folding, event: CallEvent): void {
  if (event.type === 'RecordFinished') recorded(folding, event);
  if (event.type === 'TranscriptReady') heard(folding, event);
  if (event.type === 'CallEnded' || !isAwaited(folding.call.underWay ?? NOTHING)) destroy(folding, 0);
}

type Told = Change extends infer C ? (C extends Change ? Omit<C, 'call'> : never) : never;

function tell(folding: Folding, told: Told): void {
  folding.changes.push({ ...told, call: folding.call } as Change);
}

function recorded(folding: Folding, event: CallEvent<FactOf<'RecordFinished'>>): void {
  const { call, awaited } = folding;
  const made = { uuid: event.recordingId, durationMs: event.durationMs, at: event.at };
  // One that two nodes had a hand in may be told of twice.
  const others = call.records.filter(({ uuid }) => uuid !== made.uuid);
  folding.call = { ...call, records: newest(others, made) };
  if (awaited) tell(folding, { leg: legOrCaller(call, awaited.leg), of: 'record', recording: awaited, event });
}

function heard(folding: Folding, event: CallEvent<FactOf<'TranscriptReady'>>): void {
  const { call, awaited } = folding;
  if (awaited) tell(folding, { leg: legOrCaller(call, awaited.leg), of: 'transcript', recording: awaited, event });
}

const legOrCaller = (call: PublicCall, leg: number) => legOf(call, leg) ?? legOf(call, 0)!;

/** The leg is from now on as given. */
function setLeg(folding: Folding, leg: PublicLeg): void {
  folding.call = withLeg(folding.call, leg);
  tell(folding, { leg, of: 'state', state: leg.state });
}

/** A leg moves on; from any other state than these it doesn't. */
function change(folding: Folding, leg: number, from: PublicLeg['state'][], to: Partial<PublicLeg>): void {
  const known = legOf(folding.call, leg);
  if (known && from.includes(known.state)) setLeg(folding, { ...known, ...to });
}

function hangUp(folding: Folding, leg: number, q850: number, reason: string): void {
  const ended = { state: 'hangup' as const, hangupOn: folding.event.at, q850, reason: short(reason) };
  change(folding, leg, ['init', 'ringing', 'live'], ended);
}

const destroy = (folding: Folding, leg: number) =>
  change(folding, leg, ['hangup'], { state: 'destroyed', destroyOn: folding.event.at });

/**
 * Whatever is left ends with the call: the dialled legs were told to hang up just before. The caller's is the last, and
 * waits for the recordings that end with it.
 */
function over(folding: Folding, { owner, q850, reason }: FactOf<'CallEnded'>): void {
  tellAnswer(folding, 0);
  folding.call = { ...folding.call, ended: { owner, reason: short(reason) }, running: {} };
  for (const { leg } of folding.call.legs.slice(1)) {
    hangUp(folding, leg, q850, reason);
    destroy(folding, leg);
  }
  hangUp(folding, 0, q850, reason);
  if (isAwaited(folding.call.underWay ?? NOTHING)) folding.call = { ...folding.call, isOver: true };
  else destroy(folding, 0);
}

/** Told once of each bridge, however often it is made again after losses. */
function bridged(folding: Folding, request: number): void {
  const { [request]: pair, ...bridges } = folding.call.bridges;
  if (!pair) return;
  folding.call = { ...folding.call, bridges };
  const [a, b] = pair;
  const tellOne = (n: number, other: string) => {
    const leg = legOf(folding.call, n);
    if (leg) tell(folding, { leg, of: 'bridge', with: other });
  };
  const { callId } = folding.call;
  if (typeof b === 'string') return tellOne(a, b);
  tellOne(a, legUuid(callId, b));
  tellOne(b, legUuid(callId, a));
}

function verbEnded(folding: Folding, event: CallEvent<FactOf<'VerbEnded'>>): void {
  const { isAnswerUntold, ...rest } = folding.call;
  const call = event.name === 'Answer' ? rest : folding.call;
  const { name, success, document, at } = event;
  const [path, reason, tag] = [short(event.path), short(event.reason), short(event.tag)];
  const { [verbKey(event)]: startedAt = at, ...running } = call.running;
  const log = { at, name, path, success, reason, tag };
  folding.call = { ...call, running, verbs: (call.verbs ?? 0) + 1, logs: newest(call.logs, log) };
  const told = { ...log, document, startedAt, ...(event.element && { element: event.element }) };
  tell(folding, { leg: legOf(call, 0)!, of: 'verb', verb: told });
}
