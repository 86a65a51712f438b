/** Answer: sends 200 OK, and may wait a moment before the next verb. */
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Answer } from '../language/verb.ts';
import { end, type Performer } from '../performer.ts';

export const answerRow: SyntaxRow = {
  name: 'Answer',
  meaning:
    'Answers the call; needless with auto_answer, and before Gather, Record, RecordStart and Hold, which answer it.',
  attributes: [
    {
      name: 'delay',
      kind: 'integer',
      min: 0,
      max: 60_000,
      default: '0',
      meaning: 'Milliseconds to wait after answering.',
    },
    TAG,
  ],
  children: [],
  text: false,
  build: (a, { index }) => ({ name: 'Answer', index, delayMs: a.integer('delay'), tag: a.text('tag') }),
};

// That it needs the answer is what answers: the flow answers before any such verb begins.
export const answerPerformer: Performer<Answer> = {
  needs: 'answer',
  begin: (answer, _call, running, at) =>
    answer.delayMs > 0
      ? [{ type: 'TimerSet', purpose: 'answer-delay', dueAt: at + answer.delayMs }]
      : [end(running, true, 'answered')],
  learn: (memory, event) =>
    event.type === 'TimerSet' && event.purpose === 'answer-delay' ? { ...memory, timer: event.seq } : memory,
  on: (event, _answer, _call, running) =>
    event.type === 'TimerFired' && event.timerId === running.memory.timer ? [end(running, true, 'answered')] : [],
};
