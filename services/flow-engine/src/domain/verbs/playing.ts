/** What Say, Play and Tone have in common: they are played at one leg or two, until all were heard, a digit before a
 * Gather, or a fault. */
import type { CallEvent, Decided, PlayItem } from '@opentact/proto/events';
import type { Call, Memory, Running } from '../call.ts';
import { runBeforeGather } from '../frames.ts';
import type { AttributeRow } from '../language/attributes.ts';
import type { LegName, Play, Say, Tone } from '../language/verb.ts';
import { end, fail, type Performer } from '../performer.ts';

export const LEG: AttributeRow = {
  name: 'leg',
  kind: 'choice',
  values: ['aleg', 'bleg', 'both'],
  default: 'aleg',
  meaning: 'Who hears it: the caller, the party that the caller is connected to, or both.',
};

/** A performer that plays one item in a loop. `item` gives undefined where there is nothing to play. */
export function playing<V extends Say | Play | Tone>(
  item: (verb: V, call: Call) => PlayItem | undefined,
): Performer<V> {
  return {
    needs: 'sound',
    begin: (verb, call, running) => {
      const wanted = item(verb, call);
      if (!wanted) return [fail(call, running, 'no-recording')];
      const legs = legsOf(call, ('leg' in verb && verb.leg) || 'aleg');
      if (legs.length === 0) return [fail(call, running, 'no-bleg')];
      return legs.map((leg) => ({ type: 'PlayRequested', leg, items: [wanted], loop: verb.loop }));
    },
    learn,
    on: (event, _verb, call, running) => heard(event, call, running),
  };
}

/** The legs that a document means; the other party is the newest leg that is answered. */
function legsOf(call: Call, leg: LegName): number[] {
  const other = call.legs.findLastIndex((l, n) => n > 0 && l.state === 'answered');
  const b = other > 0 ? [other] : [];
  return leg === 'aleg' ? [0] : leg === 'bleg' ? b : [0, ...b];
}

function learn(memory: Memory, event: CallEvent): Memory {
  if (event.type !== 'PlayRequested') return memory;
  if (event.leg === 0) return { ...memory, play: event.seq };
  return { ...memory, elsewhere: [...(memory.elsewhere ?? []), { play: event.seq, leg: event.leg }] };
}

const playsOf = ({ memory: { play, elsewhere = [] } }: Running) => [
  ...(play === undefined ? [] : [{ play, leg: 0 }]),
  ...elsewhere,
];

/** What the verb still plays. */
const sounding = (call: Call, running: Running) =>
  playsOf(running).filter(({ play }) => call.outstanding[play] !== undefined);

/** Stops all of it. */
export const stopAll = (call: Call, running: Running): Decided[] =>
  sounding(call, running).map(({ leg, play }) => ({ type: 'PlayStopRequested', leg, play }));

function heard(event: CallEvent, call: Call, running: Running): Decided[] {
  const ours = 'requestId' in event && playsOf(running).some(({ play }) => play === event.requestId);
  switch (event.type) {
    case 'PlayFinished':
    case 'PlayStopped':
      if (!ours || sounding(call, running).length > 0) return [];
      return [end(running, true, event.type === 'PlayFinished' ? 'finished' : 'stopped')];
    case 'PlayFailed':
    case 'RequestFailed':
      return ours ? [...stopAll(call, running), fail(call, running, event.reason)] : [];
    case 'DigitPressed':
      return event.leg === 0 && playsOf(running).length > 0 ? bargeIn(call, running, stopAll(call, running)) : [];
    default:
      // A party that hung up took its play along, which nobody tells by itself.
      return isTakenAlong(call, running) ? [end(running, true, 'stopped')] : [];
  }
}

const isTakenAlong = (call: Call, running: Running) =>
  call.answered.some(({ seq }) => playsOf(running).some(({ play }) => play === seq)) &&
  sounding(call, running).length === 0;

/** A digit in a run of prompts directly before a Gather ends the whole run (contracts.md, language 2). */
export function bargeIn(call: Call, running: Running, stops: Decided[]): Decided[] {
  const skip = runBeforeGather(call.flow);
  return skip === undefined ? [] : [...stops, end(running, true, 'digit', { skip })];
}
