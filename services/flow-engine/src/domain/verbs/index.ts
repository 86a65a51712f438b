/** One screen that lists the language: each verb's row and its performer. */
import type { CallEvent } from '@opentact/proto/events';
import type { Memory } from '../call.ts';
import type { SyntaxRow } from '../language/syntax.ts';
import type { Verb, VerbName, VerbOf } from '../language/verb.ts';
import type { Performer } from '../performer.ts';
import { answerPerformer, answerRow } from './answer.ts';
import { callbackPerformer, callbackRow } from './callback.ts';
import { dialPerformer } from './dial.ts';
import { dialParts, dialRow } from './dial-syntax.ts';
import { gatherPerformer } from './gather.ts';
import { gatherParts, gatherRow } from './gather-syntax.ts';
import { hangupPerformer, hangupRow, redirectPerformer, redirectRow, rejectPerformer, rejectRow } from './leaving.ts';
import { pausePerformer, pauseRow } from './pause.ts';
import { playPerformer, playRow } from './play.ts';
import { recordPerformer, recordRow } from './record.ts';
import { sayPerformer, sayRow } from './say.ts';

/** Every element but Response, which is the document itself. */
export const ROWS: readonly SyntaxRow[] = [
  answerRow,
  sayRow,
  playRow,
  pauseRow,
  gatherRow,
  ...gatherParts,
  recordRow,
  dialRow,
  ...dialParts,
  callbackRow,
  redirectRow,
  rejectRow,
  hangupRow,
];

const PERFORMERS: { [N in VerbName]: Performer<VerbOf<N>> } = {
  Answer: answerPerformer,
  Say: sayPerformer,
  Play: playPerformer,
  Pause: pausePerformer,
  Gather: gatherPerformer,
  Record: recordPerformer,
  Dial: dialPerformer,
  Callback: callbackPerformer,
  Redirect: redirectPerformer,
  Reject: rejectPerformer,
  Hangup: hangupPerformer,
};

/** How a verb is performed. */
export function performerOf(verb: Verb): Performer {
  return PERFORMERS[verb.name] as Performer;
}

/** How a verb's memory folds an event. */
export function learnerOf(verb: Verb): (memory: Memory, event: CallEvent, verb: Verb) => Memory {
  return performerOf(verb).learn ?? ((memory) => memory);
}
