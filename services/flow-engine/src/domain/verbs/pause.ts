/** Pause: waits. A key may end it. */
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Pause } from '../language/verb.ts';
import { end, type Performer } from '../performer.ts';
import { bargeIn } from './playing.ts';

export const pauseRow: SyntaxRow = {
  name: 'Pause',
  meaning: 'Waits in silence.',
  attributes: [
    { name: 'length', kind: 'integer', min: 0, max: 3_600_000, default: '1000', meaning: 'Milliseconds.' },
    { name: 'dtmf_stop', kind: 'keys', max: 12, default: '', meaning: 'Any of these keys ends it early.' },
    TAG,
  ],
  children: [],
  text: false,
  build: (a, { index, warn }) => {
    const lengthMs = a.integer('length');
    if (lengthMs < 100)
      warn(`<Pause length="${lengthMs}"> is ${lengthMs} milliseconds; seconds are written as thousands`);
    return { name: 'Pause', index, lengthMs, stopKeys: a.text('dtmf_stop'), tag: a.text('tag') };
  },
};

export const pausePerformer: Performer<Pause> = {
  needs: 'nothing',
  begin: (pause, _call, _running, at) => [{ type: 'TimerSet', purpose: 'pause', dueAt: at + pause.lengthMs }],
  learn: (memory, event) =>
    event.type === 'TimerSet' && event.purpose === 'pause' ? { ...memory, timer: event.seq } : memory,
  on: (event, pause, call, running) => {
    const { timer = 0 } = running.memory;
    if (event.type === 'TimerFired') return event.timerId === timer ? [end(running, true, 'finished')] : [];
    if (event.type !== 'DigitPressed' || event.leg !== 0) return [];
    const cancel = { type: 'TimerCancelled', timerId: timer } as const;
    // Before a Gather the key is that Gather's first, whatever it would have meant here.
    const barged = bargeIn(call, running, [cancel]);
    if (barged.length > 0) return barged;
    return pause.stopKeys.includes(event.digit) ? [cancel, end(running, true, 'digit')] : [];
  },
};
