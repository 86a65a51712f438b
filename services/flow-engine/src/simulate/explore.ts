/**
 * Walks every way through a document by the production engine: each key that the document tells apart, each answer of a
 * callee or a server, each condition both ways. It asks no network and no clock, and says where its bounds stopped it.
 */
import { join } from '../domain/frames.ts';
import type { Document, Verb } from '../domain/language/verb.ts';
import { parseDocument } from '../xml/document.ts';
import { alternativesOf } from './conditions.ts';
import type { Point, Scenario } from './scenario.ts';
import { type Simulation, simulate } from './simulate.ts';

/** One choice of the world. */
export type Choice = { at: string; option: string };
/** One call: what the world chose, who ended it and why, and what the caller heard. */
export type Walk = { choices: Choice[]; ended: string; heard: string[] };
/** `stopped` says which bound was met. */
export type Exploration = { walks: Walk[]; never: string[]; stopped: string[] };

export type Bounds = {
  /** Calls at most. */
  runs?: number;
  /** Choices within one call. */
  depth?: number;
  /** Asked before each call: is it time to stop? */
  isLate?: () => boolean;
  /** Other documents that servers may answer: their conditions are looked at, too. */
  documents?: string[];
};

const RUNS_MAX = 2_000;
const DEPTH_MAX = 40;
/** Events of all calls together: what bounds a document whose every call is long. */
const EVENTS_MAX = 1_000_000;

type Run = { indices: number[]; points: Point[]; simulation: Simulation; scenario: Scenario };

/** Explores a document that the parser accepts. @throws Error where it doesn't */
export function explore(scenario: Scenario, bounds: Bounds = {}): Exploration {
  const { runs: runsMax = RUNS_MAX, depth = DEPTH_MAX, isLate = () => false } = bounds;
  const document = documentOf(scenario.xml);
  const others = (bounds.documents ?? []).flatMap((xml) => {
    const parsed = parseDocument(xml);
    return parsed.ok ? [parsed.document] : [];
  });
  const alternatives = alternativesOf(scenario, [document, ...others]);
  const stopped = new Set<string>();
  const reached = new Set<string>();
  const found: Array<{ indices: number[]; walk: Walk }> = [];
  let longest: Wait | undefined;
  let events = 0;
  // Breadth first: where a bound is met, what was left out is the least different.
  const queue: number[][] = [[]];
  for (let prefix = queue.shift(); prefix; prefix = queue.shift()) {
    if (found.length >= runsMax || events >= EVENTS_MAX || isLate()) {
      stopped.add(
        found.length >= runsMax ? `${runsMax} calls` : events >= EVENTS_MAX ? `${EVENTS_MAX} events` : 'time',
      );
      break;
    }
    const run = walkOnce(scenario, alternatives, prefix, depth);
    if (run.points.length > depth) stopped.add(`${depth} choices in one call`);
    events += run.simulation.events.length;
    for (const event of run.simulation.events)
      if (event.type === 'VerbStarted' && event.document === 1) reached.add(event.path);
    longest = longer(longest, run);
    found.push({ indices: run.indices, walk: walkOf(run) });
    for (let at = prefix.length; at < Math.min(run.points.length, depth); at++)
      for (let option = 1; option < run.points[at]!.options.length; option++)
        queue.push([...run.indices.slice(0, at), option]);
  }
  found.sort((a, b) => compare(a.indices, b.indices));
  const walks = found.map(({ walk }) => walk);
  if (longest) walks.push(hangUp(longest));
  return { walks, never: pathsOf(document).filter((path) => !reached.has(path)), stopped: [...stopped] };
}

function documentOf(xml: string): Document {
  const parsed = parseDocument(xml);
  if (!parsed.ok) throw new Error(`line ${parsed.line}, column ${parsed.column}: ${parsed.reason}`);
  return parsed.document;
}

/** One call, chosen by `prefix` as far as it goes and by first options behind it. */
function walkOnce(
  scenario: Scenario,
  alternatives: ReturnType<typeof alternativesOf>,
  prefix: number[],
  depth: number,
): Run {
  const points: Point[] = [];
  const indices: number[] = [];
  const known = new Map<string, number>();
  const choose = (point: Point): number => {
    const before = known.get(point.key);
    if (before !== undefined) return before;
    const index = points.length < depth ? (prefix[points.length] ?? 0) : 0;
    points.push(point);
    indices.push(index);
    known.set(point.key, index);
    return index;
  };
  const one = <T>(key: string, values: T[], nameOf: (value: T) => string): T =>
    values[values.length > 1 ? choose({ key, at: '', options: values.map(nameOf) }) : 0]!;
  const { homes, replies } = alternatives;
  const chosen: Scenario = {
    ...scenario,
    from: one('from', alternatives.from, (from) => `a call from ${from}`),
    to: one('to', alternatives.to, (to) => `a call to ${to}`),
    at: one('at', alternatives.at, (at) => `a call on ${weekday(at)} ${new Date(at).toISOString()}`),
    choose,
    homes,
    replies,
  };
  return { indices, points, simulation: simulate(chosen), scenario: chosen };
}

const weekday = (at: number) => ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][new Date(at).getUTCDay()]!;

const choicesOf = ({ points, indices }: Run): Choice[] =>
  points.map(({ at, options }, n) => ({ at, option: options[indices[n]!]! }));

const walkOf = (run: Run): Walk => ({ choices: choicesOf(run), ...endOf(run.simulation) });

const endOf = ({ call, heard }: Simulation) => ({
  ended: call.ended ? `${call.ended.owner}: ${call.ended.reason}` : 'not ended',
  heard: heard.map(({ what }) => what),
});

/** Where two walks part, the earlier option first. */
function compare(a: number[], b: number[]): number {
  for (let n = 0; n < Math.min(a.length, b.length); n++) if (a[n] !== b[n]) return a[n]! - b[n]!;
  return a.length - b.length;
}

/** The longest time in which nothing happened while the caller was there. */
type Wait = { run: Run; ms: number; atMs: number; path: string };

function longer(known: Wait | undefined, run: Run): Wait | undefined {
  const { events } = run.simulation;
  const end = events.findIndex((e) => e.type === 'CallEnded' || (e.type === 'LegEnded' && e.leg === 0));
  let best = known;
  let path = '';
  for (let n = 1; n < (end < 0 ? events.length : end + 1); n++) {
    const [before, event] = [events[n - 1]!, events[n]!];
    if (before.type === 'VerbStarted') path = before.path;
    const ms = event.at - before.at;
    if (ms > (best?.ms ?? 0)) best = { run, ms, atMs: before.at - events[0]!.at + Math.floor(ms / 2), path };
  }
  return best;
}

/** The same call, but the caller hangs up in the middle of the longest wait. */
function hangUp({ run, atMs, path }: Wait): Walk {
  const simulation = simulate({ ...again(run), hangupAtMs: atMs });
  const option = `hangs up after ${(atMs / 1000).toFixed(1)} s${path ? `, in ${path}` : ''}`;
  return { choices: [{ at: 'the caller', option }], ...endOf(simulation) };
}

/** The scenario of a run, choosing as that run did. */
function again({ scenario, points, indices }: Run): Scenario {
  const known = new Map(points.map(({ key }, n) => [key, indices[n]!]));
  return { ...scenario, choose: ({ key }) => known.get(key) ?? 0 };
}

/** The paths of all verbs of a document, but prompts within a verb: those are heard as one. */
function pathsOf({ verbs, error = [] }: Document): string[] {
  return [...below('', verbs), ...below('Error[0]', error)];
}

const below = (path: string, verbs: Verb[]): string[] =>
  verbs.flatMap((verb) => {
    const own = join(path, `${verb.name}[${verb.index}]`);
    const branches = verb.name === 'Gather' ? verb.branches : [];
    return [
      own,
      ...below(own, ('verbs' in verb && verb.verbs) || []),
      ...branches.flatMap((branch) => below(join(own, branch.segment), branch.verbs)),
      ...below(join(own, 'Default[0]'), (verb.name === 'Gather' && verb.default) || []),
      ...below(join(own, 'Error[0]'), ('error' in verb && verb.error) || []),
    ];
  });
