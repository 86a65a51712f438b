/** Record: empty, it records the caller until a key, silence or its time; as a block, while its children run. */
import type { CallEvent, Decided, FactOf } from '@opentact/proto/events';
import { type Call, outstandingOf } from '../call.ts';
import { STOP_KEYS } from '../keys.ts';
import { type AttributeRow, milliseconds } from '../language/attributes.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Record } from '../language/verb.ts';
import { end, fail, type Performer } from '../performer.ts';

const SILENCE_MS = 5_000;
export const BLOCK_MAX_MS = 4 * 3_600_000;

export const ASR: AttributeRow = {
  name: 'asr',
  kind: 'boolean',
  default: 'false',
  meaning: 'Have its words recognised; they come as an event.',
};

export const recordRow: SyntaxRow = {
  name: 'Record',
  meaning: 'Records the caller.',
  attributes: [
    ASR,
    {
      name: 'timeout',
      ...milliseconds(1, 14_400_000),
      meaning: 'Milliseconds at most; 60000, for a block four hours.',
    },
    TAG,
  ],
  children: ['verbs', 'Error'],
  text: false,
  build: (a, { index, element, verbs, block }) => {
    const error = block('Error');
    const children = element.children.some((c) => !/^(error|meta)$/i.test(c.name)) ? verbs(element) : undefined;
    const timeoutMs = a.has('timeout') ? a.integer('timeout') : children ? BLOCK_MAX_MS : 60_000;
    return {
      name: 'Record',
      index,
      timeoutMs,
      tag: a.text('tag'),
      ...(children && { verbs: children }),
      ...(error && { error }),
      ...(a.boolean('asr') && { asr: true }),
    };
  },
};

/** UUID of the recording that a verb makes: the call's with the verb's seq in its last part. */
export const recordingIdOf = (callId: string, seq: number) =>
  `${callId.slice(0, 24)}${seq.toString(16).padStart(12, '0')}`;

export const recordPerformer: Performer<Record> = {
  needs: 'answer',
  begin: (record, call, running) => [
    {
      type: 'RecordRequested',
      leg: 0,
      recordingId: recordingIdOf(call.id, running.seq),
      tag: record.tag,
      maxMs: record.timeoutMs,
      silenceMs: record.verbs ? 0 : SILENCE_MS,
      stopKeys: record.verbs ? '' : STOP_KEYS,
      ...(record.asr && { asr: true }),
    },
  ],
  learn(memory, event, record) {
    if (event.type === 'RecordRequested') return { ...memory, record: event.seq };
    return isStop(event, record) ? { ...memory, key: event.digit } : memory;
  },
  on: (event, record, call, running) => {
    const { record: request, key } = running.memory;
    if (isStop(event, record)) return stop(call, request);
    if (!('requestId' in event) || event.requestId !== request) return [];
    if (event.type === 'RecordFinished')
      return [end(running, true, event.reason === 'stopped' && key !== undefined ? 'key' : event.reason)];
    return event.type === 'RecordFailed' || event.type === 'RequestFailed' ? [fail(call, running, event.reason)] : [];
  },
};

type Key = CallEvent<FactOf<'DigitPressed'>>;

/** Media ends an empty Record for a key that comes by RTP. One by INFO it doesn't hear. */
const isStop = (event: CallEvent, record: Record): event is Key =>
  event.type === 'DigitPressed' &&
  event.leg === 0 &&
  event.way === 'info' &&
  !record.verbs &&
  STOP_KEYS.includes(event.digit);

function stop(call: Call, record: number | undefined): Decided[] {
  if (record === undefined || !call.outstanding[record]) return [];
  const isStopping = outstandingOf(call, 'RecordStopRequested').some((asked) => asked.record === record);
  return isStopping ? [] : [{ type: 'RecordStopRequested', leg: 0, record }];
}
