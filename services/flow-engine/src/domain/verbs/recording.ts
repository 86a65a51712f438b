/**
 * RecordStart, RecordStop and RecordWait: a recording of the caller and of what he hears, while the flow goes on. One
 * that nobody stops ends with the call.
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { type Call, outstandingOf } from '../call.ts';
import { milliseconds } from '../language/attributes.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { RecordStart, RecordStop, RecordWait } from '../language/verb.ts';
import { end, fail, type Performer } from '../performer.ts';
import { ASR, BLOCK_MAX_MS, recordingIdOf } from './record.ts';

/** At once, what the profile wants among them; media holds four a leg, and a Record must find room. */
const BACKGROUND_MAX = 3;

export const recordStartRow: SyntaxRow = {
  name: 'RecordStart',
  meaning: 'Begins to record both sides of the call; the flow goes on meanwhile.',
  attributes: [ASR, TAG],
  children: [],
  text: false,
  build: (a, { index }) => ({ name: 'RecordStart', index, asr: a.boolean('asr'), tag: a.text('tag') }),
};

export const recordStartPerformer: Performer<RecordStart> = {
  needs: 'answer',
  begin: ({ asr, tag }, call, running) => {
    if (outstandingOf(call, 'RecordRequested', (e) => e.both === true).length >= BACKGROUND_MAX)
      return [fail(call, running, 'too-many-recordings')];
    return [
      {
        type: 'RecordRequested',
        leg: 0,
        recordingId: recordingIdOf(call.id, running.seq),
        tag,
        maxMs: BLOCK_MAX_MS,
        silenceMs: 0,
        stopKeys: '',
        both: true,
        ...(asr && { asr }),
      },
      end(running, true, 'recording'),
    ];
  },
  on: () => [],
};

export const recordStopRow: SyntaxRow = {
  name: 'RecordStop',
  meaning: 'Ends the recording that a RecordStart with this tag began; without a tag, each of them.',
  attributes: [TAG],
  children: [],
  text: false,
  build: (a, { index }) => ({ name: 'RecordStop', index, tag: a.text('tag') }),
};

export const recordStopPerformer: Performer<RecordStop> = {
  needs: 'nothing',
  begin: ({ tag }, call, running) => {
    const stopping = stoppingOf(call);
    const stops = background(call, tag).flatMap(({ seq, leg }): Decided[] =>
      stopping.has(seq) ? [] : [{ type: 'RecordStopRequested', leg, record: seq }],
    );
    return [...stops, end(running, true, stops.length > 0 ? 'stopped' : 'not-recording')];
  },
  on: () => [],
};

export const recordWaitRow: SyntaxRow = {
  name: 'RecordWait',
  meaning: 'Waits until the stopped recording with this tag can be played; without a tag, each of them.',
  attributes: [
    { name: 'timeout', ...milliseconds(1, 600_000), default: '30000', meaning: 'Milliseconds; then it has failed.' },
    TAG,
  ],
  children: ['Error'],
  text: false,
  build: (a, { index, block }) => {
    const error = block('Error');
    return { name: 'RecordWait', index, timeoutMs: a.integer('timeout'), tag: a.text('tag'), ...(error && { error }) };
  },
};

export const recordWaitPerformer: Performer<RecordWait> = {
  needs: 'nothing',
  begin: (wait, call, running, at) => {
    const open = background(call, wait.tag);
    if (open.length === 0) return [end(running, true, 'ready')];
    const stopping = stoppingOf(call);
    if (open.some(({ seq }) => !stopping.has(seq))) return [fail(call, running, 'still-recording')];
    return [{ type: 'TimerSet', purpose: 'record-wait', dueAt: at + wait.timeoutMs }];
  },
  learn: (memory, event) =>
    event.type === 'TimerSet' && event.purpose === 'record-wait' ? { ...memory, timer: event.seq } : memory,
  on: (event: CallEvent, wait, call, running) => {
    const { timer } = running.memory;
    if (event.type === 'TimerFired' && event.timerId === timer) return [fail(call, running, 'timeout')];
    const closed = event.type === 'RecordFinished' || event.type === 'RecordFailed' || event.type === 'RequestFailed';
    if (!closed || timer === undefined || background(call, wait.tag).length > 0) return [];
    return [{ type: 'TimerCancelled', timerId: timer }, end(running, true, 'ready')];
  },
};

/** Recordings that a document began and that go on behind the flow, or are being closed. */
const background = (call: Call, tag: string) =>
  outstandingOf(call, 'RecordRequested', (e) => e.both === true && !e.byProfile && (tag === '' || e.tag === tag));

const stoppingOf = (call: Call) => new Set(outstandingOf(call, 'RecordStopRequested').map(({ record }) => record));
