/** The steps of the database are the files of a folder; no database. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { migrations } from './migrations.ts';

let folder: string;
const read = () => migrations(pathToFileURL(`${folder}/`));
const put = (name: string, text: string) => writeFile(join(folder, name), text);
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opentact-migrations-'));
});
after(() => rm(folder, { recursive: true }));

test('every file is a step, in the order of the names', async () => {
  await put('002-b.ts', 'export const b = { async up() {} };');
  await put('001-a.ts', 'export const a = { async up() {} };');
  assert.deepEqual(Object.keys(await read()), ['001-a', '002-b']);
  assert.deepEqual(Object.keys(await migrations()).slice(0, 2), ['001-directory', '002-places-and-groups']);
});

test('a number that is taken, and a file without a step, are refused by name', async () => {
  await put('002-c.ts', 'export const c = { async up() {} };');
  await assert.rejects(read(), /002-c: its number is taken/);
  await rm(join(folder, '002-c.ts'));
  await put('003-d.ts', 'export const d = 1;');
  await assert.rejects(read(), /003-d\.ts: it must export one step/);
});
