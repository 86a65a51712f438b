import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readWav } from '../audio/wav-read.ts';
import { Recorder } from './recorder.ts';

const folder = mkdtempSync(join(tmpdir(), 'opentact-recorder-'));
after(() => rmSync(folder, { recursive: true }));

const speech = new Int16Array(160).fill(1000);
const tone = new Int16Array(160).fill(9000);

function recorder(name: string) {
  const path = join(folder, `${name}.wav`);
  const made = new Recorder(1, name, path, { maxMs: 0, silenceMs: 0, stopKeys: '#' });
  return {
    made,
    samples: async () => {
      await made.close();
      return readWav(readFileSync(path));
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
