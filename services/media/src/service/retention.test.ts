import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UNFINISHED } from '../audio/recording-file.ts';
import { readWav } from '../audio/wav-read.ts';
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

test('what a dead writer left is published after an hour, once, and old copies go', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'opentact-abandoned-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, UNFINISHED));
  const id = (n: number) => `00000000-0000-8000-8000-00000000000${n}`;
  const now = Date.now();
  const part = (name: string, minutes: number) => {
    const path = join(folder, UNFINISHED, name);
    writeFileSync(path, Buffer.concat([Buffer.alloc(44), Buffer.alloc(16_001, 1)]));
    utimesSync(path, new Date(now - minutes * 60_000), new Date(now - minutes * 60_000));
  };
  part(`${id(1)}.aaaaaaaa.part`, 61);
  part(`${id(2)}.aaaaaaaa.part`, 59);
  part(`${id(3)}.aaaaaaaa.part`, 61);
  writeFileSync(join(folder, `${id(3)}.wav`), 'x');
  writeFileSync(join(folder, UNFINISHED, 'notes.txt'), 'x');
  await settleAbandoned(folder, now);
  assert.deepEqual(readdirSync(join(folder, UNFINISHED)).sort(), [`${id(2)}.aaaaaaaa.part`, 'notes.txt']);
  assert.equal(readWav(readFileSync(join(folder, `${id(1)}.wav`))).length, 8000);
  assert.equal(readFileSync(join(folder, `${id(3)}.wav`), 'utf8'), 'x');
});
