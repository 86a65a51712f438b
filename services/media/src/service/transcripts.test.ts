import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Observed } from '@opentact/proto/events';
import { NotRecognised, type Recogniser } from '../speech/recogniser.ts';
import { Transcripts } from './transcripts.ts';

const id = (n: number) => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`;
const settled = () => new Promise((go) => setImmediate(go));

/** Transcripts over a recogniser that answers when it is told to. */
function scene(of: { recogniser?: Recogniser | undefined; deadlineMs?: number } = {}) {
  const told: { callId: string; fact: Observed }[] = [];
  const asked: {
    file: string;
    lang: string;
    signal: AbortSignal;
    say(text: string): void;
    fail(error: Error): void;
  }[] = [];
  const recogniser: Recogniser = {
    recognise: (file, lang, signal) =>
      new Promise((say, fail) => {
        asked.push({ file, lang, signal, say, fail });
        signal.addEventListener('abort', () => fail(signal.reason as Error));
      }),
  };
  const lines: object[] = [];
  const transcripts = new Transcripts({
    ...{ home: '/home', recogniser },
    ...of,
    log: { warn: (fields) => void lines.push(fields) },
    report: (callId, fact) => told.push({ callId, fact }),
  });
  const ask = (seq: number, callId = 'c', recordingId = id(seq), account?: string) =>
    transcripts.ask({ type: 'TranscriptRequested', recordingId, tag: 't', lang: 'en-US', callId, seq, at: 0 }, account);
  const reasons = () => told.map(({ fact }) => (fact.type === 'TranscriptFailed' ? fact.reason : fact.type));
  return { transcripts, ask, told, asked, lines, reasons };
}

describe('transcripts', () => {
  it('the words of a recording are told to the call that asked, which is held until then', async () => {
    const { transcripts, ask, told, asked } = scene();
    ask(1);
    assert.deepEqual([asked[0]!.file, asked[0]!.lang], [`/home/recordings/${id(1)}.wav`, 'en-US']);
    assert.ok(transcripts.holds('c') && !transcripts.holds('d'));
    assert.deepEqual(transcripts.callIds, ['c']);
    asked[0]!.say('two words');
    await settled();
    const fact = { type: 'TranscriptReady', requestId: 1, recordingId: id(1), text: 'two words' } as const;
    assert.deepEqual(told, [{ callId: 'c', fact }]);
    assert.deepEqual(transcripts.callIds, []);
  });
  it('asked twice, before or after its answer, it is recognised once and told twice', async () => {
    const { ask, told, asked } = scene();
    ask(1);
    ask(1);
    asked[0]!.say('once');
    await settled();
    assert.equal(told.length, 2);
    ask(1);
    assert.equal(told.length, 3);
    assert.deepEqual(told[2], told[0]);
    ask(1, 'another call');
    assert.equal(asked.length, 2);
  });
  it('two are recognised at a time, a hundred wait, and what comes then is refused', async () => {
    const { ask, asked, told, reasons } = scene();
    for (let n = 1; n <= 103; n++) ask(n);
    assert.equal(asked.length, 2);
    assert.deepEqual(told, [
      { callId: 'c', fact: { type: 'TranscriptFailed', requestId: 103, recordingId: id(103), reason: 'recogniser' } },
    ]);
    asked[1]!.say('');
    await settled();
    assert.equal(asked.length, 3);
    assert.equal(asked[2]!.file, `/home/recordings/${id(3)}.wav`);
    ask(104);
    assert.deepEqual(reasons(), ['recogniser', 'TranscriptReady']);
  });
  it('accounts take turns, and where all room is taken whoever has most makes some', async () => {
    const { ask, asked, told } = scene();
    for (let n = 1; n <= 102; n++) ask(n, `c${n}`, id(n), 'greedy');
    ask(200, 'other', id(200), 'other');
    assert.deepEqual(told, [
      {
        callId: 'c102',
        fact: { type: 'TranscriptFailed', requestId: 102, recordingId: id(102), reason: 'recogniser' },
      },
    ]);
    for (let n = 0; n < 2; n++, await settled()) asked[n]!.say('');
    assert.deepEqual(
      asked.slice(2).map(({ file }) => file),
      [3, 200].map((n) => `/home/recordings/${id(n)}.wav`),
    );
  });
  it('what fails is told with its reason, and no secret of the recogniser', async () => {
    const { ask, asked, reasons, lines } = scene();
    ask(1);
    asked[0]!.fail(new NotRecognised('no-recording', 'no such file'));
    ask(2);
    asked[1]!.fail(new Error('broken'));
    ask(3, 'c', '../../etc/passwd');
    await settled();
    assert.deepEqual(reasons(), ['no-recording', 'no-recording', 'recogniser']);
    assert.equal(lines.length, 2);
  });
  it('without a recogniser it is said at once', () => {
    const { ask, reasons } = scene({ recogniser: undefined });
    ask(1);
    assert.deepEqual(reasons(), ['no-recogniser']);
  });
  it('it takes no longer than whoever asked would wait, also while it only waits', async () => {
    const { ask, asked, reasons } = scene({ deadlineMs: 50 });
    for (const n of [1, 2, 3]) ask(n);
    await new Promise((go) => setTimeout(go, 120));
    assert.deepEqual(reasons(), ['timeout', 'timeout', 'timeout']);
    assert.ok(asked.every(({ signal }) => signal.aborted));
  });
  it('of a call that is nobody’s any more nothing is said, and its place is free', async () => {
    const { transcripts, ask, asked, told } = scene();
    for (const n of [1, 2]) ask(n, 'gone');
    ask(3);
    transcripts.drop('gone');
    await settled();
    assert.deepEqual([asked.length, told.length], [3, 0]);
    assert.deepEqual(transcripts.callIds, ['c']);
    transcripts.close();
    await settled();
    assert.ok(asked[2]!.signal.aborted);
    assert.deepEqual(told, []);
  });
});
