/** Learns one fact and everything that follows from it. First in, first out; a test pins the order. */
import type { CallEvent, Decided, Fact, Reported } from '@opentact/proto/events';
import type { Call } from './call.ts';
import { decide, goOn } from './decide.ts';
import { evolve } from './evolve.ts';
import type { Parse } from './language/parse.ts';

/** A step that goes on longer than this is a defect of ours; what a document can do in one is bounded below. */
const EVENTS_PER_STEP_MAX = 10_000;
/** Verbs of one step take no time: so many in a row are a loop, or an attack on the log. */
export const VERBS_PER_STEP_MAX = 150;
const TOO_MANY_VERBS = `budget: more than ${VERBS_PER_STEP_MAX} verbs in a row that take no time`;

/** Learns and chooses until nothing more follows. The events are appended together or not at all. */
export type Step = (before: Call, observed: Reported, at: number) => { call: Call; events: CallEvent[] };

/** Binds the language's parser, the one thing that the core needs and can't hold itself. */
export function stepWith(parse: Parse): Step {
  return (before, observed, at) => {
    const pending: Array<Reported | Decided> = [observed];
    const events: CallEvent[] = [];
    let call = before;
    let verbs = 0;
    const now = Math.max(at, before.at);
    for (let head = 0; head < pending.length; head++) {
      if (head === EVENTS_PER_STEP_MAX) throw new Error(`call ${call.id}: no rest after ${EVENTS_PER_STEP_MAX} events`);
      // Whatever else was chosen falls with the call.
      if (pending[head]!.type === 'VerbStarted' && ++verbs > VERBS_PER_STEP_MAX)
        pending.splice(head, pending.length, { type: 'CallFaulted', reason: TOO_MANY_VERBS });
      const event = { ...pending[head]!, callId: call.id, seq: call.seq + 1, at: now } as CallEvent<Fact>;
      call = evolve(call, event);
      events.push(event);
      pending.push(...decide(call, event, parse));
      // The flow goes on only from a state that has learned everything chosen so far.
      if (head === pending.length - 1) pending.push(...goOn(call));
    }
    return { call, events };
  };
}
