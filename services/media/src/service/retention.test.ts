import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deleteOld } from './retention.ts';

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
