/**
 * Runs a document by the production `step` on a virtual clock: no network, no telephony, no waiting. It answers every
 * request as the nodes would and says what the caller would hear. Nothing of the engine is done again here.
 */
import type { CallEvent, Decided, Observed, PlayItem, Reported } from '@opentact/proto/events';
import { type Call, newCall } from '../domain/call.ts';
import { stepWith } from '../domain/step.ts';
import { parseDocument } from '../xml/document.ts';

export type Callee = 'answers' | 'busy' | 'silent';

export type Scenario = {
  xml: string;
  /** Keys, each pressed a little after the next Gather (or prompt before one) begins to listen. */
  press?: string[];
  /** Keys at fixed times, ms after the call arrived. */
  pressAt?: Array<{ at: number; digit: string }>;
  from?: string;
  to?: string;
  autoAnswer?: boolean;
  callFlowUrl?: string;
  /** ms after the answer. */
  hangupAfterMs?: number;
  callee?: Callee;
  /** By target (`sip:…`), where they differ. */
  callees?: { [target: string]: Callee };
  /** ms that an answering callee stays. */
  calleeStaysMs?: number;
  /** What a customer's server answers; default: 200 without a body. */
  server?: (request: { url: string; method: string }) => { status: number; body: string };
  /** ms since the epoch when the call arrives. */
  at?: number;
  /** IANA name; the account's. */
  timeZone?: string;
  /** Where the caller's number is at home; absent: nobody knows. */
  location?: { state: string; county: string };
  /** Whom each group rings. */
  groups?: { [uuid: string]: string[] };
  /** Orders by API, ms after the call arrived. */
  orders?: Array<{ at: number; xml: string }>;
};

/** Something heard by the caller, at ms since the call arrived. */
export type Heard = { at: number; what: string };
export type Simulation = { events: CallEvent[]; heard: Heard[]; call: Call };

/** How long a person takes to react, and a speaker for a character. */
const REACTION_MS = 400;
const MS_PER_CHARACTER = 60;
const EVENTS_MAX = 20_000;
const CALL_ID = '00000000-0000-8000-8000-000000000000';

type Due = { at: number; order: number; fact: Observed };

/** Runs the scenario to the end of its call. */
export function simulate(scenario: Scenario): Simulation {
  const step = stepWith(parseDocument);
  const startedAt = scenario.at ?? Date.UTC(2026, 0, 1);
  const due: Due[] = [];
  const events: CallEvent[] = [];
  const heard: Heard[] = [];
  const press = [...(scenario.press ?? [])];
  let order = 0;
  let call = newCall(CALL_ID);
  const later = (at: number, fact: Observed) => void due.push({ at, order: order++, fact });

  later(startedAt, arrived(scenario));
  for (const { at, digit } of scenario.pressAt ?? [])
    later(startedAt + at, { type: 'DigitPressed', leg: 0, digit, durationMs: 100 });
  for (const [n, { at, xml }] of (scenario.orders ?? []).entries())
    later(startedAt + at, { type: 'DocumentOrdered', idempotencyKey: `order-${n}`, xml });
  while (due.length > 0 && events.length < EVENTS_MAX) {
    due.sort((a, b) => a.at - b.at || a.order - b.order);
    const { at, fact } = due.shift()!;
    if (!isStillTrue(call, fact)) continue;
    const stepped = step(call, reported(fact), at);
    call = stepped.call;
    events.push(...stepped.events);
    for (const event of stepped.events) {
      respond(event, call, scenario, (ms, next) => later(at + ms, next));
      for (const what of sounds(event)) heard.push({ at: at - startedAt, what });
    }
    if (press.length > 0 && listens(stepped.events, call))
      later(at + REACTION_MS, { type: 'DigitPressed', leg: 0, digit: press.shift()!, durationMs: 100 });
  }
  return { events, heard, call };
}

/** Only the edge's name matters to the core; counting reports is the engine's affair. */
function reported(fact: Observed): Reported {
  return fact.type === 'CallArrived'
    ? { ...fact, from: { source: 'sip-edge', boot: 'simulated', n: 1, observedAt: 0 } }
    : fact;
}

/** The fact that begins a scenario. */
export function arrived(scenario: Scenario): Observed {
  const { xml, from = '12125550199', to = '18005550100', autoAnswer = true, callFlowUrl = '' } = scenario;
  return {
    type: 'CallArrived',
    accountId: 'simulated',
    fromNumber: from,
    toNumber: to,
    app: {
      appId: 'simulated',
      name: 'simulated',
      autoAnswer,
      callFlowUrl,
      callFlowMethod: 'GET',
      callFlowTimeoutMs: 0,
      staticDocument: xml,
      maxCallLengthMs: 0,
      timeZone: scenario.timeZone ?? '',
    },
    invite: Buffer.alloc(0),
    transport: 'udp',
    sourceAddress: '127.0.0.1:5060',
    localTag: '',
    sdp: 'offer',
    topBranch: '',
    requestUri: `sip:${to}@simulated`,
    sipCallId: '',
    refusal: undefined,
  };
}

/** A fact about something that ended meanwhile doesn't happen. */
function isStillTrue(call: Call, fact: Observed): boolean {
  if (fact.type === 'TimerFired') return call.timers[fact.timerId] !== undefined;
  if (fact.type === 'DigitPressed') return call.state === 'live';
  if (fact.type === 'LegEnded') return call.legs[fact.leg]?.state !== 'ended';
  return !('requestId' in fact) || call.outstanding[fact.requestId] !== undefined;
}

const listens = (events: CallEvent[], call: Call) =>
  call.flow.running?.verb.name === 'Gather' &&
  events.some((e) => e.type === 'VerbStarted' || (e.type === 'PlayRequested' && e.leg === 0));

type Later = (ms: number, fact: Observed) => void;

/** What the nodes would answer to a request, and when. */
export function respond(event: CallEvent, call: Call, scenario: Scenario, later: Later): void {
  const requestId = event.seq;
  switch (event.type) {
    case 'NodeRequested':
      return later(0, { type: 'NodeAssigned', requestId, kind: event.kind, node: event.kind, boot: 'simulated' });
    case 'SessionRequested':
      return later(1, { type: 'SessionReady', requestId, leg: event.leg, sdp: 'answer' });
    case 'SessionChangeRequested':
      return later(1, { type: 'SessionChanged', requestId, leg: event.leg, sdp: '', held: false });
    case 'ReleaseRequested':
      return later(1, { type: 'SessionReleased', requestId, leg: event.leg });
    case 'DocumentRequested':
      return served(event, scenario, later);
    case 'RingRequested':
      return later(1, { type: 'LegRang', requestId, leg: event.leg, status: event.sdp ? 183 : 180 });
    case 'AnswerRequested':
      if (scenario.hangupAfterMs !== undefined) later(1 + scenario.hangupAfterMs, legEnded(0, 'peer', 'bye'));
      later(2, { type: 'LegConfirmed', leg: 0, sdp: '' });
      return later(1, { type: 'LegAnswered', requestId, leg: 0, sdp: '' });
    case 'DialRequested':
      return dialled(event, scenario, later);
    case 'HangupRequested':
      return later(1, legEnded(event.leg, 'us', event.reason));
    case 'PlayRequested': {
      const lengthMs = event.items.reduce((sum, item) => sum + lengthOf(item), 0);
      return event.loop > 0
        ? later(lengthMs * event.loop, { type: 'PlayFinished', requestId, playedMs: lengthMs * event.loop })
        : undefined;
    }
    case 'PlayStopRequested':
      return later(1, { type: 'PlayStopped', requestId: event.play, playedMs: 0 });
    case 'RecordRequested': {
      // The caller says nothing.
      const silent = event.silenceMs > 0 && event.silenceMs < event.maxMs;
      const durationMs = silent ? event.silenceMs : event.maxMs;
      const { recordingId } = event;
      const reason = silent ? 'silence' : 'timeout';
      return later(durationMs, { type: 'RecordFinished', requestId, recordingId, durationMs, reason });
    }
    case 'RecordStopRequested':
      return later(1, {
        type: 'RecordFinished',
        requestId: event.record,
        recordingId: '',
        durationMs: call.at - startOf(call, event.record),
        reason: 'stopped',
      });
    case 'TranscriptRequested':
      return later(200, { type: 'TranscriptReady', requestId, recordingId: event.recordingId, text: 'words' });
    case 'LocationRequested':
      return later(
        1,
        scenario.location ? { type: 'LocationFound', requestId, ...scenario.location } : unknown(requestId),
      );
    case 'GroupRequested': {
      const targets = scenario.groups?.[event.group];
      return later(1, targets ? { type: 'GroupFound', requestId, targets } : unknown(requestId));
    }
    case 'BridgeRequested':
      return later(1, { type: 'BridgeStarted', requestId });
    case 'BridgeStopRequested':
      return later(1, { type: 'BridgeEnded', requestId: event.bridge, reason: 'stopped' });
    case 'TimerSet':
      return later(event.dueAt - event.at, { type: 'TimerFired', timerId: event.seq, purpose: event.purpose });
    default:
      return;
  }
}

const unknown = (requestId: number): Observed => ({ type: 'LookUpFailed', requestId, reason: 'unknown' });
const startOf = (call: Call, seq: number) => call.outstanding[seq]?.at ?? call.at;
const legEnded = (leg: number, by: string, reason: string): Observed => ({
  type: 'LegEnded',
  leg,
  by,
  status: 0,
  q850: 16,
  reason,
});

function served(
  event: CallEvent<Extract<Decided, { type: 'DocumentRequested' }>>,
  scenario: Scenario,
  later: Later,
): void {
  const { status, body } = scenario.server?.({ url: event.url, method: event.method }) ?? { status: 200, body: '' };
  const requestId = event.seq;
  if (status >= 200 && status < 300)
    later(5, { type: 'DocumentFetched', requestId, status, contentType: '', body, tookMs: 5 });
  else later(5, { type: 'DocumentFailed', requestId, reason: status === 0 ? 'connect' : 'http', detail: '', status });
}

function dialled(
  event: CallEvent<Extract<Decided, { type: 'DialRequested' }>>,
  scenario: Scenario,
  later: Later,
): void {
  const { calleeStaysMs = 10_000 } = scenario;
  const { leg, seq: requestId } = event;
  const callee = scenario.callees?.[event.target] ?? scenario.callee ?? 'answers';
  if (callee === 'busy')
    return later(50, { type: 'DialFailed', requestId, leg, status: 486, q850: 17, reason: 'busy' });
  later(50, { type: 'LegRang', requestId, leg, status: 180 });
  if (callee === 'silent') return;
  later(2_000, { type: 'LegAnswered', requestId, leg, sdp: 'answer' });
  later(2_000 + calleeStaysMs, legEnded(leg, 'peer', 'bye'));
}

function lengthOf(item: PlayItem): number {
  if (item.kind === 'silenceMs') return item.value;
  if (item.kind === 'pattern') return (item.value.onMs + item.value.offMs) * item.value.cycles;
  return item.kind === 'say' ? item.value.text.length * MS_PER_CHARACTER : 2_000;
}

function sounds(event: CallEvent): string[] {
  if (event.type === 'BridgeStarted') return ['the callee'];
  if (event.type !== 'PlayRequested' || event.leg !== 0) return [];
  return event.items.map((item) => {
    if (item.kind === 'say') return `"${item.value.text}"`;
    if (item.kind === 'pattern') return `tone ${item.value.hz.join('+')} Hz`;
    return item.kind === 'silenceMs' ? `silence, ${item.value} ms` : `${item.kind} ${item.value}`;
  });
}
