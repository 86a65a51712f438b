import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { UNFINISHED } from '../audio/recording-file.ts';
import { readWav } from '../audio/wav-read.ts';
import { Recorder } from './recorder.ts';
import { reportClosed } from './session.ts';

const folder = mkdtempSync(join(tmpdir(), 'opentact-recorder-'));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, UNFINISHED));

const speech = new Int16Array(160).fill(1000);
const tone = new Int16Array(160).fill(9000);

function recorder(name: string) {
  const made = new Recorder(1, name, folder, { maxMs: 0, silenceMs: 0, stopKeys: '#' });
  return {
    made,
    samples: async () => {
      await made.close();
      return readWav(readFileSync(join(folder, `${name}.wav`)));
    },
  };
}

describe('a recording that a key ends', () => {
  it('keeps the speech and drops a tone that was noticed late and in two parts', async () => {
    const { made, samples } = recorder('tone');
    for (let n = 0; n < 50; n++) made.hear(speech, '', false);
    made.hear(tone, '', false);
    made.hear(tone, '', true);
    for (let n = 0; n < 3; n++) made.hear(speech, '', false);
    made.hear(tone, '', true);
    for (let n = 0; n < 30; n++) made.hear(tone, '#', false);
    made.key('#');
    const heard = await samples();
    assert.ok(heard.every((sample) => sample === 1000));
    assert.ok(heard.length >= 47 * 160, `${heard.length / 160} frames`);
  });
  it('a suspicion that was speech costs nothing, nor does another key', async () => {
    const { made, samples } = recorder('speech');
    for (let n = 0; n < 50; n++) made.hear(speech, n === 20 ? '5' : '', n % 7 === 0 && n < 40);
    assert.equal(made.key('5'), false);
    made.end('stopped');
    assert.equal((await samples()).length, 50 * 160);
  });
});

describe('a recording that another node goes on with', () => {
  const limits = { maxMs: 3000, silenceMs: 0, stopKeys: '' };
  const hear = (recorder: Recorder, count: number) => {
    for (let n = 0; n < count; n++) recorder.hear(speech, '', false);
  };
  const opened = async (recorder: Recorder) => {
    for (const end = Date.now() + 20_000; recorder.durationMs === 0; await new Promise((go) => setTimeout(go, 5)))
      assert.ok(Date.now() < end, 'what there is was not found within 10 s');
  };

  it('its longest time counts the whole', async () => {
    const first = new Recorder(1, 'moved', folder, limits);
    hear(first, 100);
    assert.equal(await first.leave(), 'taken');
    const second = new Recorder(1, 'moved', folder, limits);
    await opened(second);
    hear(second, 49);
    assert.equal(second.ended, undefined);
    hear(second, 1);
    assert.equal(second.ended, 'timeout');
    assert.equal(await second.close(), 'whole');
    assert.equal(second.durationMs, 3000);
  });
  it('that was whole, unknown to whoever asks, ends at once', async () => {
    const first = new Recorder(1, 'whole', folder, limits);
    hear(first, 50);
    first.end('stopped');
    assert.equal(await first.close(), 'whole');
    const second = new Recorder(1, 'whole', folder, limits);
    await opened(second);
    hear(second, 1);
    assert.equal(second.ended, 'stopped');
    assert.equal(await second.close(), 'whole');
    assert.equal(second.durationMs, 1000);
  });
});

it('a recording that the disk falls behind with is finished by the disk, as long as what there is', async () => {
  const { made } = recorder('behind');
  for (let n = 0; n < 34 * 25; n++) made.hear(speech, '', false);
  assert.ok(made.failed);
  const facts: unknown[] = [];
  await reportClosed(made, false, (fact) => facts.push(fact));
  const finished = { type: 'RecordFinished', requestId: 1, recordingId: 'behind', durationMs: 16_000, reason: 'disk' };
  assert.deepEqual(facts, [finished]);
  assert.equal(readWav(readFileSync(join(folder, 'behind.wav'))).length, 16_000 * 8);
});
