/** One screen that lists the language: each verb's row and its performer. */
import type { CallEvent } from '@opentact/proto/events';
import type { Memory } from '../call.ts';
import type { SyntaxRow } from '../language/syntax.ts';
import type { Verb, VerbName, VerbOf } from '../language/verb.ts';
import type { Performer } from '../performer.ts';
import { answerPerformer, answerRow } from './answer.ts';
import { bridgePerformer } from './bridge.ts';
import { callbackPerformer, callbackRow } from './callback.ts';
import { callPerformer, geoPerformer, schedulePerformer } from './conditions.ts';
import { callRow, geoRow, scheduleRow } from './conditions-syntax.ts';
import { curlPerformer, curlRow, headerRow } from './curl.ts';
import { dialPerformer } from './dial.ts';
import { dialParts, dialRow } from './dial-syntax.ts';
import { gatherPerformer } from './gather.ts';
import { gatherParts, gatherRow } from './gather-syntax.ts';
import { holdPerformer, holdRow, unholdPerformer, unholdRow } from './hold.ts';
import { hangupPerformer, hangupRow, redirectPerformer, redirectRow, rejectPerformer, rejectRow } from './leaving.ts';
import { metaPerformer, metaRow } from './meta.ts';
import { pausePerformer, pauseRow } from './pause.ts';
import { playPerformer, playRow } from './play.ts';
import { recordPerformer, recordRow } from './record.ts';
import {
  recordStartPerformer,
  recordStartRow,
  recordStopPerformer,
  recordStopRow,
  recordWaitPerformer,
  recordWaitRow,
} from './recording.ts';
import { sayPerformer, sayRow } from './say.ts';
import { tonePerformer, toneRow } from './tone.ts';

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
  toneRow,
  holdRow,
  unholdRow,
  recordStartRow,
  recordStopRow,
  recordWaitRow,
  callRow,
  geoRow,
  scheduleRow,
  metaRow,
  curlRow,
  headerRow,
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
  Tone: tonePerformer,
  Hold: holdPerformer,
  Unhold: unholdPerformer,
  RecordStart: recordStartPerformer,
  RecordStop: recordStopPerformer,
  RecordWait: recordWaitPerformer,
  Call: callPerformer,
  Geo: geoPerformer,
  Schedule: schedulePerformer,
  Meta: metaPerformer,
  Curl: curlPerformer,
  Bridge: bridgePerformer,
};

/** How a verb is performed. */
export function performerOf(verb: Verb): Performer {
  return PERFORMERS[verb.name] as Performer;
}

/** How a verb's memory folds an event. */
export function learnerOf(verb: Verb): (memory: Memory, event: CallEvent, verb: Verb) => Memory {
  return performerOf(verb).learn ?? ((memory) => memory);
}
