/**
 * What a caller hears and says by the verbs that make sound, with real calls: tones by their frequencies, music on hold,
 * both sides of a call recorded and played back, a message whose words come from a recogniser by HTTP, keys in a pause.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdMusic } from '../../services/media/src/dsp/melody.ts';
import { correlate, readWav, resemblance } from '../../services/media/src/peer/index.ts';
import { type Hearing, openHearing } from '../kit/hearing.ts';
import { all, eventually, openScene, outcome, type Scene, verbs } from '../kit/scene.ts';
import { assertTones } from '../kit/tones.ts';

const GREETING = 'Welcome, and please say what you think of us.';
const OPINION = 'I think that you are worth a second call.';
const CONNECTED = 'Somebody has time for you now.';
const GOODBYE = 'Good bye, and thank you for waiting.';

/** A recogniser of the test: it hears how long a recording is, and remembers what it was sent. */
async function openRecogniser() {
  const asked: { path: string; headers: IncomingHttpHeaders; wav: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const wav = Buffer.concat(parts);
    asked.push({ path: request.url ?? '', headers: request.headers, wav });
    response.end(JSON.stringify({ text: `${Math.round(readWav(wav).length / 8)} milliseconds of praise` }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/recognise`,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

let scene: Scene;
let hearing: Hearing;
let recogniser: Awaited<ReturnType<typeof openRecogniser>>;

const file = (recordingId: string) => readFileSync(join(scene.platform.home, 'recordings', `${recordingId}.wav`));

describe('verbs that sound', { timeout: 90_000 }, () => {
  before(
    async () => {
      hearing = openHearing();
      recogniser = await openRecogniser();
      scene = await openScene({ OPENTACT_ASR_URL: recogniser.url, OPENTACT_ASR_TOKEN: 'only-for-the-recogniser' });
      await scene.platform.whole();
    },
    { timeout: 90_000 },
  );
  after(() => Promise.all([hearing?.close(), scene?.close(), recogniser?.close()]));

  // One after the other: who judges what was heard keeps this process busy, and its phones would stammer.
  describe('that hear the caller', () => {
    it('RecordStart to RecordWait: what both sides said, in step and playable at once', async () => {
      const call = await scene.dial(
        `<Response><RecordStart tag="both"/><Say>${GREETING}</Say><Pause length="4000" dtmf_stop="1"/>` +
          '<RecordStop tag="both"/><RecordWait tag="both"/><Play record="both"/></Response>',
      );
      const id = call.platformCallId;
      await scene.platform.until(id, (e) => e.type === 'VerbStarted' && e.name === 'Pause');
      await call.peer.say(await hearing.words(OPINION));
      await sleep(300);
      await call.peer.press('1');
      const { recordingId, durationMs, reason } = (await scene.platform.until(
        id,
        (e) => e.type === 'RecordFinished',
      )) as ReturnType<typeof all<'RecordFinished'>>[number];
      const story = await scene.platform.ended(id);
      assert.equal(reason, 'stopped');
      const samples = readWav(file(recordingId));
      assert.equal(Math.round(samples.length / 8), durationMs);
      const [begun, stopped] = [all(story, 'RecordRequested')[0]!, all(story, 'RecordStopRequested')[0]!];
      assert.ok(Math.abs(stopped.at - begun.at - durationMs) < 500, `${stopped.at - begun.at} ms, ${durationMs} in it`);
      const inFile = await hearing.inOrder(samples, [GREETING, OPINION]);
      // First live, then both sides from the recording, as far apart as they are there.
      const [, again, opinion] = await hearing.inOrder(call.peer.heard.pcm, [GREETING, GREETING, OPINION]);
      assert.ok(Math.abs(opinion! - again! - (inFile[1]! - inFile[0]!)) <= 40);
      assert.equal(all(story, 'PlayFinished').at(-1)!.playedMs, Math.ceil(durationMs / 20) * 20);
      assert.deepEqual(
        verbs(story).map((verb) => verb.split(' ')[0]),
        ['RecordStart[0]', 'Say[0]', 'Pause[0]', 'RecordStop[0]', 'RecordWait[0]', 'Play[0]'],
      );
    });

    it('Record with asr: the message alone, though the whole call is recorded, and its words after the call is over', async () => {
      const call = await scene.dial(
        `<Response><RecordStart tag="all"/><Say>${GREETING}</Say><Record tag="message" asr="true"/></Response>`,
      );
      const id = call.platformCallId;
      await scene.platform.until(id, (e) => e.type === 'VerbStarted' && e.name === 'Record');
      await call.peer.say(await hearing.words(OPINION));
      await sleep(200);
      await call.peer.press('#');
      await scene.platform.ended(id);
      await scene.platform.until(id, (e) => e.type === 'TranscriptReady');
      const story = await scene.platform.story(id);
      const [message, whole] = all(story, 'RecordFinished').sort((a, b) => a.durationMs - b.durationMs);
      assert.deepEqual([message!.reason, whole!.reason], ['key', 'released']);
      assert.deepEqual(
        all(story, 'TranscriptReady').map(({ recordingId, text }) => [recordingId, text]),
        [[message!.recordingId, `${message!.durationMs} milliseconds of praise`]],
      );
      const [asked, ...others] = recogniser.asked as [(typeof recogniser.asked)[number]];
      assert.deepEqual(others, []);
      assert.equal(asked.path, '/recognise?lang=en-US');
      assert.equal(asked.headers['content-type'], 'audio/wav');
      assert.equal(asked.headers.authorization, 'Bearer only-for-the-recogniser');
      assert.deepEqual(asked.wav, file(message!.recordingId));
      await hearing.inOrder(readWav(asked.wav), [OPINION]);
      const told = correlate(readWav(asked.wav), (await hearing.words(GREETING)).subarray(4000, 12_000));
      assert.ok(told.peak < 0.4, `what was told is no part of the message: ${told.peak.toFixed(2)}`);
      await hearing.inOrder(readWav(file(whole!.recordingId)), [GREETING, OPINION]);
    });
  });

  describe('that the caller only hears', { concurrency: 4 }, () => {
    it('Tone: the frequencies of a busy line, on and off as often as asked, then four at once', async () => {
      const busy = { hz: [480, 620], onMs: 250, offMs: 250, times: 4 };
      const offHook = { hz: [1400, 2060, 2450, 2600], onMs: 130, offMs: 90, times: 3 };
      const call = await scene.dial(
        '<Response><Tone hz="480,620x2" don="250" doff="250" loop="2"/><Pause length="500"/>' +
          '<Tone hz="1400,2060,2450,2600" don="130" doff="90" loop="3" volume="-20"/></Response>',
      );
      const story = await scene.platform.ended(call.platformCallId);
      assert.deepEqual(verbs(story), ['Tone[0] finished', 'Pause[0] finished', 'Tone[1] finished']);
      assert.deepEqual(
        all(story, 'PlayFinished').map(({ playedMs }) => playedMs),
        [2000, 660],
      );
      assertTones(call.peer.heard.pcm, [busy, offHook]);
    });

    it('Hold: music until an order begins with Unhold; the rest of it is heard, then what stands behind the Hold', async () => {
      const call = await scene.dial(`<Response><Hold/><Say>${GOODBYE}</Say></Response>`);
      const id = call.platformCallId;
      await scene.platform.until(id, (e) => e.type === 'VerbStarted' && e.name === 'Hold');
      await sleep(2500);
      const onHold = call.peer.heard.pcm.slice();
      const music = holdMusic().subarray(0, 16_000);
      assert.ok(resemblance(onHold, music) > 0.8, `music: ${resemblance(onHold, music).toFixed(2)}`);
      await scene.platform.control.runDocument(id, `<Response><Unhold/><Say>${CONNECTED}</Say></Response>`, 'unhold');
      const story = await scene.platform.ended(id);
      const [connected] = await hearing.inOrder(call.peer.heard.pcm, [CONNECTED, GOODBYE]);
      assert.ok(connected! > onHold.length / 8 - 200, 'the music came first');
      assert.deepEqual(
        verbs(story).filter((verb) => !verb.startsWith('Hold[0].')),
        ['Hold[0] unheld', 'Say[0] finished'],
      );
      assert.equal(all(story, 'PlayStopped').length, 1);
      assert.equal(outcome(story), 'document: document-end');
    });

    it('Pause with dtmf_stop: those keys end it at once, another does not', async () => {
      const call = await scene.dial(`<Response><Pause length="20000" dtmf_stop="5*"/><Say>${GOODBYE}</Say></Response>`);
      const id = call.platformCallId;
      await scene.platform.until(id, (e) => e.type === 'VerbStarted' && e.name === 'Pause');
      await call.peer.press('1');
      await scene.platform.until(id, (e) => e.type === 'DigitPressed');
      await call.peer.press('*');
      const story = await scene.platform.ended(id);
      assert.deepEqual(verbs(story), ['Pause[0] digit', 'Say[0] finished']);
      const pressed = all(story, 'DigitPressed');
      assert.deepEqual(
        pressed.map(({ digit }) => digit),
        ['1', '*'],
      );
      assert.equal(all(story, 'VerbEnded')[0]!.at, pressed[1]!.at);
      await hearing.inOrder(call.peer.heard.pcm, [GOODBYE]);
    });

    it('Say in a voice that isn’t there: the nearest speaks, and the story names it', async () => {
      const call = await scene.dial(
        `<Response><Say type="WaveNet" code="en-US-Wavenet-D" gender="MALE">${GOODBYE}</Say><Say>${GOODBYE}</Say></Response>`,
      );
      const story = await scene.platform.ended(call.platformCallId);
      assert.deepEqual(
        all(story, 'PlayFinished').map(({ voice }) => voice),
        ['rms', undefined],
      );
      const male = await hearing.words(GOODBYE, 'rms');
      await eventually(() => resemblance(call.peer.heard.pcm, male) > 0.8, 'it was not the voice that is named');
    });
  });
});
