/**
 * A recording whose media node is killed, or leaves as it was asked to, goes on in another and is one file: what the caller
 * said before and after is in it, and its length is that of the whole.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PhoneCall } from '@opentact/phone';
import { type Hearing, openHearing } from '../kit/hearing.ts';
import { all, openScene, outcome, type Scene, verbs } from '../kit/scene.ts';

const BEFORE = 'This is what I say before anything happens.';
const AFTER = 'And this is what I say when it is over.';
const HEADER = 44;

let scene: Scene;
let hearing: Hearing;

/** Samples of a finished recording; its header must count them all. */
function recorded(recordingId: string): Int16Array {
  const bytes = readFileSync(join(scene.platform.home, 'recordings', `${recordingId}.wav`));
  assert.equal(bytes.readUInt32LE(40), bytes.length - HEADER);
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset + HEADER, bytes.byteOffset + bytes.length));
}

/** Speaks while `serving` records, lets `happen` befall that node, speaks again once another has the session. */
async function recordAcross(happen: (node: string) => void): Promise<PhoneCall> {
  const { platform } = scene;
  const call = await scene.dial('<Response><Record tag="r"/><Say>Good bye.</Say></Response>');
  const id = call.platformCallId;
  await platform.until(id, (e) => e.type === 'RecordRequested');
  await call.peer.say(await hearing.words(BEFORE));
  // What is cut off in mid-air is lost: up to 0.7 s.
  await sleep(900);
  happen(await platform.serving(id, 'media'));
  let isMoved = false;
  const moved = platform
    .until(id, (e) => e.type === 'OfferAccepted', 15_000)
    .finally(() => {
      isMoved = true;
    });
  // Silence would end the recording while a node that leaves waits for its calls.
  while (!isMoved) await call.peer.say(await hearing.words(BEFORE));
  await moved;
  await sleep(300);
  await call.peer.say(await hearing.words(AFTER));
  await sleep(200);
  await call.peer.press('#');
  return call;
}

describe('a recording outlives its media node', { timeout: 150_000 }, () => {
  before(
    async () => {
      hearing = openHearing();
      scene = await openScene();
      await scene.platform.whole();
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await scene?.platform.whole();
    await Promise.all([hearing?.close(), scene?.close()]);
  });

  for (const [words, signal] of [
    ['that is killed', 'SIGKILL'],
    ['that is asked to leave', 'SIGTERM'],
  ] as const)
    it(`${words}: one file, with what was said before and after`, async () => {
      await scene.platform.whole();
      const call = await recordAcross((node) => void scene.platform.kill(node, signal));
      const story = await scene.platform.ended(call.platformCallId, 30_000);
      assert.deepEqual(verbs(story), ['Record[0] key', 'Say[0] finished']);
      assert.equal(outcome(story), 'document: document-end');
      const finished = all(story, 'RecordFinished');
      assert.equal(finished.length, 1);
      const samples = recorded(finished[0]!.recordingId);
      assert.equal(Math.round(samples.length / 8), finished[0]!.durationMs);
      await hearing.inOrder(samples, [BEFORE, AFTER]);
      assert.deepEqual(readdirSync(join(scene.platform.home, 'recordings', 'unfinished')), []);
    });
});
