/**
 * Runs a document by the production `step` on a virtual clock: no network, no telephony, no waiting. It answers every
 * request as the nodes would and says what the caller would hear. Nothing of the engine is done again here.
 */
import type { App, CallEvent, Observed, Reported } from '@opentact/proto/events';
import { type Call, newCall } from '../domain/call.ts';
import { runBeforeGather } from '../domain/frames.ts';
import { stepWith } from '../domain/step.ts';
import { parseDocument } from '../xml/document.ts';
import { REACTION_MS } from './choices.ts';
import type { Scenario } from './scenario.ts';
import { respond } from './world.ts';

export type { Callee, Scenario } from './scenario.ts';
export { respond } from './world.ts';

/** Something heard by the caller, at ms since the call arrived. */
export type Heard = { at: number; what: string };
export type Simulation = { events: CallEvent[]; heard: Heard[]; call: Call };

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
  for (const { at, digit, way } of scenario.pressAt ?? [])
    later(startedAt + at, { type: 'DigitPressed', leg: 0, digit, durationMs: 100, ...(way && { way }) });
  for (const [n, { at, xml }] of (scenario.orders ?? []).entries())
    later(startedAt + at, { type: 'DocumentOrdered', idempotencyKey: `order-${n}`, xml });
  if (scenario.hangupAtMs !== undefined)
    later(startedAt + scenario.hangupAtMs, {
      type: 'LegEnded',
      leg: 0,
      by: 'peer',
      status: 0,
      q850: 16,
      reason: 'bye',
    });
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
  const { from = '12125550199', to = '18005550100' } = scenario;
  const whose = {
    accountId: 'simulated',
    fromNumber: from,
    toNumber: to,
    app: appOf(scenario),
    ...(scenario.attribution && { attribution: scenario.attribution }),
  };
  if (scenario.ordered)
    return { type: 'CallOrdered', ...whose, target: `tel:${to}`, idempotencyKey: 'simulated', ringTimeoutMs: 30_000 };
  return {
    type: 'CallArrived',
    ...whose,
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

const appOf = ({ xml, autoAnswer = true, callFlowUrl = '', ...more }: Scenario): App => ({
  appId: 'simulated',
  name: 'simulated',
  autoAnswer,
  callFlowUrl,
  callFlowMethod: 'GET',
  callFlowTimeoutMs: 0,
  staticDocument: xml,
  maxCallLengthMs: more.maxCallLengthMs ?? 0,
  timeZone: more.timeZone ?? '',
  ...(more.recordCalls !== undefined && { recordCalls: more.recordCalls }),
});

/** A fact about something that ended meanwhile doesn't happen. */
function isStillTrue(call: Call, fact: Observed): boolean {
  if (fact.type === 'TimerFired') return call.timers[fact.timerId] !== undefined;
  if (fact.type === 'DigitPressed') return call.state === 'live';
  if (fact.type === 'LegEnded') return call.legs[fact.leg]?.state !== 'ended';
  return !('requestId' in fact) || call.outstanding[fact.requestId] !== undefined;
}

/** Does the caller hear that a key is wanted: by a Gather, by a prompt directly before one, by one that wants one more? */
function listens(events: CallEvent[], call: Call): boolean {
  const { running } = call.flow;
  const begun = events.some((e) => e.type === 'VerbStarted' || (e.type === 'PlayRequested' && e.leg === 0));
  if (running?.verb.name !== 'Gather') return begun && runBeforeGather(call.flow) !== undefined;
  return begun || events[0]?.type === 'DigitPressed';
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
