import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openRecording, UNFINISHED } from '../audio/recording-file.ts';
import { readWav } from '../audio/wav-read.ts';
import { WavWriter } from '../audio/wav-writer.ts';
import { deleteOld, settleAbandoned } from './retention.ts';

test('recordings are deleted after their time, and nothing else is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'opentact-retention-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const now = Date.UTC(2026, 0, 31);
  const file = (name: string, days: number) => {
    writeFileSync(join(folder, name), 'x');
    utimesSync(join(folder, name), new Date(now - days * 86_400_000), new Date(now - days * 86_400_000));
  };
  file('00000000-0000-8000-8000-000000000001.wav', 29);
  file('00000000-0000-8000-8000-000000000002.wav', 31);
  file('notes.txt', 400);
  assert.equal(await deleteOld(folder, 30, now), 1);
  assert.deepEqual(readdirSync(folder).sort(), ['00000000-0000-8000-8000-000000000001.wav', 'notes.txt']);
});

function abandoned(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'opentact-abandoned-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, UNFINISHED));
  const now = Date.now();
  const file = (name: string, samples: number, minutes: number) => {
    const path = join(folder, name);
    writeFileSync(path, Buffer.concat([Buffer.alloc(44), Buffer.alloc(samples * 2 + 1, samples % 100)]));
    utimesSync(path, new Date(now - minutes * 60_000), new Date(now - minutes * 60_000));
  };
  return {
    folder,
    now,
    file,
    part: (name: string, samples: number, minutes: number) => file(join(UNFINISHED, `${name}.part`), samples, minutes),
    left: () => readdirSync(join(folder, UNFINISHED)).sort(),
    samplesOf: (id: string) => readWav(readFileSync(join(folder, `${id}.wav`))).length,
  };
}
const id = (n: number) => `00000000-0000-8000-8000-00000000000${n}`;

test('what a dead writer left is published after an hour, once, and old copies go', async (t) => {
  const { folder, now, file, part, left, samplesOf } = abandoned(t);
  part(`${id(1)}.aaaaaaaa`, 8000, 61);
  part(`${id(2)}.aaaaaaaa`, 8000, 59);
  part(`${id(3)}.aaaaaaaa`, 8000, 61);
  file(`${id(3)}.wav`, 8000, 61);
  file(join(UNFINISHED, 'notes.txt'), 0, 61);
  await settleAbandoned(folder, now);
  assert.deepEqual(left(), [`${id(2)}.aaaaaaaa.part`, 'notes.txt']);
  assert.equal(samplesOf(id(1)), 8000);
  assert.deepEqual(readFileSync(join(folder, `${id(3)}.wav`)).subarray(0, 44), Buffer.alloc(44), 'not touched');
});

test('of several parts the longest is published, also where a shorter one can be read already', async (t) => {
  const { folder, now, part, left, samplesOf } = abandoned(t);
  part(`${id(1)}.aaaaaaaa`, 4000, 61);
  part(`${id(1)}.bbbbbbbb`, 8000, 61);
  part(`${id(2)}.aaaaaaaa`, 8000, 61);
  part(`${id(2)}.bbbbbbbb`, 4000, 61);
  // Somebody writes: what he began with is his to remove.
  part(`${id(3)}.aaaaaaaa`, 8000, 61);
  part(`${id(3)}.bbbbbbbb`, 4000, 1);
  // One left its work to another, who went on, and was killed.
  const first = new WavWriter(folder, id(4));
  const frame = new Int16Array(160);
  for (let n = 0; n < 30; n++) first.add(frame);
  await first.leave();
  assert.equal(samplesOf(id(4)), 30 * 160);
  const second = await openRecording(folder, id(4));
  await second.handle!.write(Buffer.alloc(320 * 20), 0, 320 * 20, 44 + second.bytes);
  await second.handle!.close();
  utimesSync(second.path, new Date(now - 3_660_000), new Date(now - 3_660_000));
  await settleAbandoned(folder, now);
  assert.deepEqual([samplesOf(id(1)), samplesOf(id(2)), samplesOf(id(4))], [8000, 8000, 50 * 160]);
  assert.deepEqual(left(), [`${id(3)}.aaaaaaaa.part`, `${id(3)}.bbbbbbbb.part`]);
});

test('nodes that sweep the same folder at once don’t disturb each other', async (t) => {
  const { folder, now, file, part, left, samplesOf } = abandoned(t);
  const ids = Array.from({ length: 60 }, (_, n) => id(1).slice(0, -2) + String(n + 10));
  for (const one of ids) {
    part(`${one}.aaaaaaaa`, 400, 61);
    part(`${one}.bbbbbbbb`, 800, 61);
  }
  const old = ids.map((one) => one.replace(/^0/, '1'));
  for (const one of old) file(`${one}.wav`, 400, 40 * 24 * 60);
  const sweep = async () => {
    await settleAbandoned(folder, now);
    return deleteOld(folder, 30, now);
  };
  await Promise.all([sweep(), sweep(), sweep()]);
  assert.deepEqual(left(), []);
  for (const one of ids) assert.equal(samplesOf(one), 800, one);
  for (const one of old) assert.equal(existsSync(join(folder, `${one}.wav`)), false);
});
