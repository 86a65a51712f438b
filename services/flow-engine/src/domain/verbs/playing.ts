/** What Say and Play have in common: one play at the caller, ended by its finish, a digit before a Gather, or a fault. */
import type { CallEvent, Decided, PlayItem } from '@opentact/proto/events';
import type { Call, Running } from '../call.ts';
import { runBeforeGather } from '../frames.ts';
import type { Play, Say } from '../language/verb.ts';
import { end, fail, type Performer } from '../performer.ts';

/** A performer that plays one item in a loop. `item` gives undefined where there is nothing to play. */
export function playing<V extends Say | Play>(item: (verb: V, call: Call) => PlayItem | undefined): Performer<V> {
  return {
    needsAudio: true,
    begin: (verb, call, running) => {
      const wanted = item(verb, call);
      if (!wanted) return [fail(call, running, 'no-recording')];
      return [{ type: 'PlayRequested', leg: 0, items: [wanted], loop: verb.loop }];
    },
    learn: (memory, event) => (event.type === 'PlayRequested' ? { ...memory, play: event.seq } : memory),
    on: (event, _verb, call, running) => heard(event, call, running),
  };
}

function heard(event: CallEvent, call: Call, running: Running): Decided[] {
  const { play } = running.memory;
  switch (event.type) {
    case 'PlayFinished':
    case 'PlayStopped':
      return event.requestId === play
        ? [end(running, true, event.type === 'PlayFinished' ? 'finished' : 'stopped')]
        : [];
    case 'PlayFailed':
      return event.requestId === play ? [fail(call, running, event.reason)] : [];
    case 'RequestFailed':
      return event.requestId === play ? [fail(call, running, event.reason)] : [];
    case 'DigitPressed':
      return event.leg === 0 && play !== undefined
        ? bargeIn(call, running, [{ type: 'PlayStopRequested', leg: 0, play }])
        : [];
    default:
      return [];
  }
}

/** A digit in a run of prompts directly before a Gather ends the whole run (contracts.md, language 2). */
export function bargeIn(call: Call, running: Running, stops: Decided[]): Decided[] {
  const skip = runBeforeGather(call.flow);
  return skip === undefined ? [] : [...stops, end(running, true, 'digit', { skip })];
}
