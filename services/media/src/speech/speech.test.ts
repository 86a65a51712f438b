import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { JobThread } from '@opentact/runtime';
import { VOICES } from '@opentact/voices';
import { heardOf } from '../audio/clip.ts';
import { PCMU } from '../codec/g711/g711.ts';
import { fliteSpeaker } from './speaker.ts';

describe('speech', () => {
  const speaker = fliteSpeaker();
  after(() => speaker.close());

  it('text becomes audible 8 kHz audio of a plausible length, for every voice', async () => {
    for (const { code: voice } of VOICES) {
      const clip = await speaker.speak('Welcome to Opentact. Press one for sales.', voice);
      assert.ok(clip.frames > 120 && clip.frames < 250, `${voice}: ${clip.frames} frames`);
      const loudest = heardOf(clip, PCMU).reduce((most, s) => Math.max(most, Math.abs(s)), 0);
      assert.ok(loudest > 4000, `${voice}: ${loudest}`);
    }
  });
  it('a text that looks like an option is spoken, an empty one is nothing, accents do no harm', async () => {
    assert.ok((await speaker.speak('-lv', 'slt')).frames > 10);
    assert.equal((await speaker.speak(' … ', 'slt')).frames, 0);
    assert.ok((await speaker.speak('Café “déjà vu” 你好', 'slt')).frames > 20);
  });
  it('a menu of 65 texts is spoken whole, another account waits for one of them, and an ended call for none', async () => {
    const done: string[] = [];
    const gone = new AbortController();
    const speak = (text: string, account: string, signal?: AbortSignal) =>
      speaker.speak(text, 'slt', { account, signal }).then(
        () => done.push(account),
        () => done.push(`${account} gave up`),
      );
    const menu = Array.from({ length: 65 }, (_, n) => speak(`${n}`, 'menu'));
    const ended = Array.from({ length: 9 }, () => speak('Too late.', 'ended', gone.signal));
    const other = speak('Hello.', 'other');
    gone.abort();
    await other;
    assert.ok(done.filter((account) => account === 'menu').length <= 2, done.join());
    await Promise.all([...menu, ...ended]);
    assert.deepEqual(done.filter((one) => one !== 'menu').sort(), [...Array(9).fill('ended gave up'), 'other']);
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
    const thread = new JobThread<number, number>(stuck, { deadlineMs: 2_000 }); // longer than a busy machine takes to start the next thread
    const first = assert.rejects(thread.run(0), /2000 ms/);
    assert.equal(await thread.run(1), 2);
    await first;
    await thread.close();
    await assert.rejects(thread.run(1));
  });
});
