/** Callers, numbers, homes, moments and answers that make the conditions of some documents come out both ways. */
import { newCall } from '../domain/call.ts';
import type { CallBlock as Block, Document, Geo, Schedule, Verb } from '../domain/language/verb.ts';
import { schedulePerformer } from '../domain/verbs/conditions.ts';
import type { Home, Scenario } from './scenario.ts';

/** What to choose from; the first of each is the scenario's own. */
export type Alternatives = {
  from: string[];
  to: string[];
  at: number[];
  homes: Home[];
  replies: Map<string, string[]>;
};

/** @param documents every document that the call may run, as far as they are known. */
export function alternativesOf(scenario: Scenario, documents: Document[]): Alternatives {
  const verbs = documents.flatMap(verbsOf);
  const blocks = verbs.filter((verb): verb is Block => verb.name === 'Call');
  const values = (...fields: string[]) =>
    blocks.flatMap(({ field, value }) =>
      fields.includes(field) && /^(string|number)$/.test(typeof value) ? [String(value)] : [],
    );
  const schedules = verbs.filter((verb): verb is Schedule => verb.name === 'Schedule');
  return {
    from: withOther(scenario.from ?? '12125550199', values('from'), '13125550177'),
    to: withOther(scenario.to ?? '18005550100', values('to', 'tn.tn'), '18005550177'),
    at: momentsOf(schedules, scenario),
    homes: verbs
      .filter((verb): verb is Geo => verb.name === 'Geo')
      .map(({ states, county }) => ({ state: states[0] ?? 'NY', county })),
    replies: repliesOf(verbs, blocks),
  };
}

/** The scenario's own, each that a block wants, and one that no block wants. */
function withOther(own: string, wanted: string[], other: string): string[] {
  const all = [...new Set([own, ...wanted])];
  return wanted.length > 0 && wanted.includes(own) ? [...all, other] : all;
}

/** JSON answers that set what a block looks at: `meta.crm.vip` is the member `vip` of what a Curl with the tag `crm` hears. */
function repliesOf(verbs: Verb[], blocks: Block[]): Map<string, string[]> {
  const replies = new Map<string, string[]>();
  for (const { name, tag } of verbs) {
    const prefix = tag ? `meta.${tag}.` : 'meta.';
    if (name !== 'Curl' || replies.has(tag)) continue;
    const wanted = blocks.filter(({ field }) => field.startsWith(prefix));
    const bodies = wanted.map(({ field, value }) => JSON.stringify({ [field.slice(prefix.length)]: value }));
    replies.set(tag, [...new Set(bodies)]);
  }
  return replies;
}

const QUARTER_MS = 900_000;
const WEEK_MS = 7 * 86_400_000;
const MOMENTS_MAX = 16;

/**
 * Moments of the week from the scenario's own, one for each way in which the Schedules come out together. Offsets of time
 * zones are quarters of an hour, so that quarters shifted by where ranges begin and end meet every change.
 */
function momentsOf(schedules: Schedule[], scenario: Scenario): number[] {
  const own = scenario.at ?? Date.UTC(2026, 0, 1);
  if (schedules.length === 0) return [own];
  const call = newCall('');
  call.app = { ...call.app, timeZone: scenario.timeZone ?? '' };
  const holds = (verb: Schedule, at: number) => {
    const running = { verb, path: '', document: 0, seq: 0, memory: {} };
    return schedulePerformer.begin(verb, call, running, at).some((d) => d.type === 'VerbEnded' && d.branch !== '');
  };
  const distinct = schedules.filter((a, n) => schedules.findIndex((b) => same(a, b)) === n).slice(0, MOMENTS_MAX);
  const begin = own - (own % QUARTER_MS);
  const phases = new Set([
    0,
    ...distinct.flatMap(({ time }) => (time ? [(time.from % 900) * 1000, ((time.to + 1) % 900) * 1000] : [])),
  ]);
  const most = Math.min(MOMENTS_MAX, 2 ** distinct.length);
  const found = new Map([[distinct.map((s) => holds(s, own)).join(), own]]);
  for (const phase of [...phases].slice(0, 2 * MOMENTS_MAX))
    for (let at = begin + phase; at < begin + WEEK_MS && found.size < most; at += QUARTER_MS) {
      const outcome = distinct.map((s) => holds(s, at)).join();
      if (!found.has(outcome)) found.set(outcome, at);
    }
  return [...found.values()];
}

const same = (a: Schedule, b: Schedule) =>
  JSON.stringify([a.days, a.time, a.timeZone]) === JSON.stringify([b.days, b.time, b.timeZone]);

/** Every verb of a document, however deep, its Error's included. */
export function verbsOf({ verbs, error = [] }: Document): Verb[] {
  const within = (verb: Verb): Verb[] => [
    verb,
    ...(('verbs' in verb && verb.verbs) || []).flatMap(within),
    ...(('error' in verb && verb.error) || []).flatMap(within),
    ...(verb.name === 'Gather'
      ? [...verb.branches.flatMap((b) => b.verbs), ...(verb.default ?? [])].flatMap(within)
      : []),
  ];
  return [...verbs, ...error].flatMap(within);
}
