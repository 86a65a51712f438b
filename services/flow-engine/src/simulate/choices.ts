/** What of the world may be one way or another: keys, callees, servers, homes. A scenario says which, or chooses. */
import { stateOf } from '@opentact/numbering';
import type { CallEvent, Decided, Observed, PlayItem } from '@opentact/proto/events';
import type { Call } from '../domain/call.ts';
import { keysOf } from './keys.ts';
import { chosen, type Home, type Scenario } from './scenario.ts';

/** How long a person takes to react, and a speaker for a character. */
export const REACTION_MS = 400;
const MS_PER_CHARACTER = 60;
/** Between two keys of one code. */
const NEXT_KEY_MS = 200;

/** Has a fact happen some ms from now. */
export type Later = (ms: number, fact: Observed) => void;
export type RequestOf<T extends Decided['type']> = CallEvent<Extract<Decided, { type: T }>>;

export const legEnded = (leg: number, by: string, reason: string): Observed => ({
  type: 'LegEnded',
  leg,
  by,
  status: 0,
  q850: 16,
  reason,
});

/** Where the flow stands: what a choice is told to be about. */
const placeOf = (call: Call) => call.flow.running?.path ?? '';

/** Would a failure of the running verb be served by an Error? Elsewhere nobody would notice it. */
function isServed({ flow }: Call): boolean {
  const { running, frames, responseError } = flow;
  const own = running && 'error' in running.verb ? running.verb.error : undefined;
  return own !== undefined || responseError !== undefined || frames.some(({ error }) => error !== undefined);
}

/** What the caller presses at a Gather, and whether anybody ends a Pause or a Hold. Only a chosen world does it here. */
export function pressed(event: RequestOf<'VerbStarted'>, call: Call, scenario: Scenario, later: Later): void {
  const { running } = call.flow;
  if (!scenario.choose || running?.seq !== event.seq) return;
  const { verb } = running;
  const key = `verb-${event.seq}`;
  if (verb.name === 'Hold') {
    const unheld = chosen(scenario, {
      key,
      at: event.path,
      options: [
        ['nobody comes', false],
        ['an order begins with Unhold', true],
      ],
    });
    if (unheld)
      later(Math.min(NEXT_KEY_MS, verb.timeoutMs / 2), {
        type: 'DocumentOrdered',
        idempotencyKey: key,
        xml: '<Response><Unhold/></Response>',
      });
    return;
  }
  const options =
    verb.name === 'Gather' ? keysOf(verb) : verb.name === 'Pause' && verb.stopKeys ? pauseKeys(verb.stopKeys) : [];
  if (options.length === 0) return;
  const digits = chosen(scenario, { key, at: event.path, options });
  const first = verb.name === 'Pause' ? Math.min(REACTION_MS, verb.lengthMs / 2) : REACTION_MS;
  for (const [n, digit] of [...digits].entries())
    later(first + n * NEXT_KEY_MS, { type: 'DigitPressed', leg: 0, digit, durationMs: 100 });
}

const pauseKeys = (keys: string): Array<readonly [string, string]> => [
  ['no key', ''],
  [`key ${keys[0]}`, keys[0]!],
];

export function played(event: RequestOf<'PlayRequested'>, call: Call, scenario: Scenario, later: Later): void {
  const { seq: requestId, items, loop } = event;
  const lengthMs = items.reduce((sum, item) => sum + lengthOf(item), 0);
  const fetched = items.find(({ kind }) => kind === 'url' || kind === 'prompt');
  const isHeard =
    !fetched ||
    !isServed(call) ||
    chosen(scenario, {
      key: `play-${requestId}`,
      at: placeOf(call),
      options: [
        ['is heard', true],
        ['can’t be had', false],
      ],
    });
  if (!isHeard || isRefused(fetched, scenario))
    return later(5, { type: 'PlayFailed', requestId, reason: 'fetch', detail: '' });
  if (loop > 0) later(lengthMs * loop, { type: 'PlayFinished', requestId, playedMs: lengthMs * loop });
}

/** What a customer's server answers to documents it answers to sounds as well. */
const isRefused = (item: PlayItem | undefined, { server }: Scenario) =>
  item?.kind === 'url' && server !== undefined && server({ url: item.value, method: 'GET' }).status >= 400;

export function recorded(event: RequestOf<'RecordRequested'>, call: Call, scenario: Scenario, later: Later): void {
  const { seq: requestId, silenceMs, maxMs, recordingId } = event;
  const works =
    !isServed(call) ||
    call.flow.running?.verb.name !== 'Record' ||
    chosen(scenario, {
      key: `record-${requestId}`,
      at: placeOf(call),
      options: [
        ['records', true],
        ['can’t record', false],
      ],
    });
  if (!works) return later(1, { type: 'RecordFailed', requestId, reason: 'disk' });
  // The caller says nothing.
  const silent = silenceMs > 0 && silenceMs < maxMs;
  const durationMs = silent ? silenceMs : maxMs;
  later(durationMs, {
    type: 'RecordFinished',
    requestId,
    recordingId,
    durationMs,
    reason: silent ? 'silence' : 'timeout',
  });
}

export function homeOf(event: RequestOf<'LocationRequested'>, call: Call, scenario: Scenario): Home | undefined {
  const state = stateOf(event.number);
  const home =
    scenario.location === undefined ? (state ? { state, county: '' } : undefined) : (scenario.location ?? undefined);
  const nameOf = (of: Home | undefined) =>
    of ? `at home in ${[of.county, of.state].filter(Boolean).join(', ')}` : 'at home nobody knows where';
  const others = [...(scenario.homes ?? []), undefined].filter((other) => nameOf(other) !== nameOf(home));
  const options = [home, ...(scenario.homes ? others : [])].map((of) => [nameOf(of), of] as const);
  return chosen(scenario, { key: 'home', at: placeOf(call), options });
}

export function membersOf(event: RequestOf<'GroupRequested'>, scenario: Scenario): string[] | undefined {
  const known = scenario.groups?.[event.group];
  const members = known ?? (scenario.choose ? ['sip:member@group.invalid'] : undefined);
  if (!scenario.choose) return members;
  return chosen(scenario, {
    key: `group-${event.seq}`,
    at: `group ${event.group}`,
    options: [
      ['is known', members],
      ['is unknown', undefined],
    ],
  });
}

type Answer = { status: number; body: string };

export function served(event: RequestOf<'DocumentRequested'>, call: Call, scenario: Scenario, later: Later): void {
  const { url, method, seq: requestId, purpose } = event;
  const usual = scenario.server?.({ url, method }) ?? { status: 200, body: '' };
  const tag = call.flow.running?.verb.tag ?? '';
  const replies = (purpose === 'curl' && scenario.replies?.get(tag)) || [];
  const options: Array<readonly [string, Answer]> = [
    [`answers ${usual.status}`, usual],
    ...replies.map((body) => [`answers ${body}`, { status: 200, body }] as const),
    ...(isFound(usual) ? [['can’t be had', { status: 0, body: '' }] as const] : []),
  ];
  const at = `${placeOf(call) || purpose} ${method} ${url.replace(/[?#].*$/s, '')}`;
  const answer = chosen(scenario, { key: `document-${requestId}`, at, options });
  const { status, body } = answer;
  if (isFound(answer)) later(5, { type: 'DocumentFetched', requestId, status, contentType: '', body, tookMs: 5 });
  else later(5, { type: 'DocumentFailed', requestId, reason: status === 0 ? 'connect' : 'http', detail: '', status });
}

const isFound = ({ status }: Answer) => status >= 200 && status < 300;

/** All that one Dial rings do the same, unless the scenario says otherwise of some. */
export function dialled(event: RequestOf<'DialRequested'>, call: Call, scenario: Scenario, later: Later): void {
  const { calleeStaysMs = 10_000, callees } = scenario;
  const { leg, seq: requestId } = event;
  const usual = callees?.[event.target] ?? scenario.callee ?? 'answers';
  const all = [usual, ...(['answers', 'busy', 'silent'] as const).filter((other) => other !== usual)];
  const options = all.map((callee) => [`the callee ${CALLEES[callee]}`, callee] as const);
  const callee = chosen(scenario, { key: `dial-${call.flow.running?.seq ?? requestId}`, at: placeOf(call), options });
  if (callee === 'busy')
    return later(50, { type: 'DialFailed', requestId, leg, status: 486, q850: 17, reason: 'busy' });
  later(50, { type: 'LegRang', requestId, leg, status: 180 });
  if (callee === 'silent') return;
  later(2_000, { type: 'LegAnswered', requestId, leg, sdp: 'answer' });
  later(2_000 + calleeStaysMs, legEnded(leg, 'peer', 'bye'));
}

const CALLEES = { answers: 'answers', busy: 'is busy', silent: 'doesn’t answer' };

function lengthOf(item: PlayItem): number {
  if (item.kind === 'silenceMs') return item.value;
  if (item.kind === 'pattern') return (item.value.onMs + item.value.offMs) * item.value.cycles;
  return item.kind === 'say' ? item.value.text.length * MS_PER_CHARACTER : 2_000;
}
