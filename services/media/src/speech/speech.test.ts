import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { VOICES } from '@opentact/voices';
import { JobThread } from '../audio/job-thread.ts';
import { decode } from '../codec/g711.ts';
import { fliteSpeaker } from './speaker.ts';

describe('speech', () => {
  const speaker = fliteSpeaker();
  after(() => speaker.close());

  it('text becomes audible 8 kHz audio of a plausible length, for every voice', async () => {
    for (const { code: voice } of VOICES) {
      const clip = await speaker.speak('Welcome to Opentact. Press one for sales.', voice);
      assert.ok(clip.frames > 120 && clip.frames < 250, `${voice}: ${clip.frames} frames`);
      const loudest = decode('PCMU', new Uint8Array(clip.PCMU)).reduce((most, s) => Math.max(most, Math.abs(s)), 0);
      assert.ok(loudest > 4000, `${voice}: ${loudest}`);
    }
  });
  it('a text that looks like an option is spoken, an empty one is nothing, accents do no harm', async () => {
    assert.ok((await speaker.speak('-lv', 'slt')).frames > 10);
    assert.equal((await speaker.speak(' … ', 'slt')).frames, 0);
    assert.ok((await speaker.speak('Café “déjà vu” 你好', 'slt')).frames > 20);
  });
});

describe('a thread for slow work', () => {
  const stuck = new URL(
    `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', (n) => { if (n === 0) for (;;); parentPort.postMessage({ ok: true, result: n + 1 }); });
  `)}`,
  );
  it('a job past its deadline fails, and the next ones run', async () => {
    const thread = new JobThread<number, number>(stuck, 300);
    const first = assert.rejects(thread.run(0), /300 ms/);
    assert.equal(await thread.run(1), 2);
    await first;
    await thread.close();
    await assert.rejects(thread.run(1));
  });
});
