/** A simulated call told in a few words, for tests that quote a rule and show it. */
import type { CallEvent, FactType } from '@opentact/proto/events';
import { type Scenario, type Simulation, simulate } from './simulate.ts';

export type Told = Simulation & {
  /** What the caller heard, in order, without times. */
  words: string[];
  /** `path reason` of each verb that ended. */
  verbs: string[];
  of<T extends FactType>(type: T): Array<CallEvent & { type: T }>;
  /** `owner reason` of the ending. */
  ended: string;
};

/** Runs a document, given without its root. */
export function tell(verbs: string, scenario: Partial<Scenario> = {}): Told {
  // Nobody knows where the caller is at home unless a test says so.
  const run = simulate({ xml: `<Response>${verbs}</Response>`, location: null, ...scenario });
  return {
    ...run,
    words: run.heard.map((h) => h.what.replaceAll('"', '')),
    verbs: run.events.flatMap((e) => (e.type === 'VerbEnded' ? [`${e.path} ${e.reason}`] : [])),
    of: (type) => run.events.filter((e): e is CallEvent & { type: typeof type } => e.type === type),
    ended: run.call.ended ? `${run.call.ended.owner} ${run.call.ended.reason}` : '',
  };
}
