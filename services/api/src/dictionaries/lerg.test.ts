/** Numbering data as files bring it: what is taken, what is told, and that a broken file changes nothing. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type EmbeddedPostgres, embeddedPostgres } from '@opentact/event-log';
import { type Database, migrate, openDatabase } from '../database/database.ts';
import { passingSeal } from '../database/sealing/seal.ts';
import { seedDemo } from '../demo/seed.ts';
import { locate } from '../directory/places.ts';
import { csvRecords } from '../kernel/csv.ts';
import { exchangesOf } from './exchanges.ts';
import { saveExchanges } from './save.ts';

const COMMAND = fileURLToPath(new URL('./import.ts', import.meta.url));
const demo = {
  ...{ accountId: randomUUID(), appId: randomUUID(), groupId: randomUUID(), email: 'd@t', password: 'p', apiKey: 'k' },
  ...{ signingKey: 's', number: '18005550100', customerUrl: 'http://127.0.0.1:1/', callee: '1@127.0.0.1:2' },
};

let home: string;
let server: EmbeddedPostgres;
let db: Database;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-lerg-'));
  server = await embeddedPostgres({ home, databases: ['opentact_api'] });
  db = openDatabase(server.url('opentact_api'));
  await migrate(db);
});
beforeEach(async () => {
  await db.deleteFrom('numbering').execute();
  await seedDemo(db, demo, passingSeal());
});
after(async () => {
  await db.destroy();
  await server.stop();
  await rm(home, { recursive: true });
});

/** In chunks as small as `size`, so that every place is once a chunk's end. */
async function* chunks(text: string, size = 7): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}
async function recordsOf(text: string, size?: number): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { line, fields } of csvRecords(chunks(text, size))) all.push([line, ...fields]);
  return all;
}
const save = (text: string, replaceDemo = false) =>
  saveExchanges(db, exchangesOf(csvRecords(chunks(text))), { replaceDemo });

test('quotes, doubled quotes and line ends within them are read as they are meant, wherever a chunk ends', async () => {
  const text = '\uFEFFa,"b, c","d ""e"""\r\n\r\n"one\ntwo",,\n"",x,y';
  const expected = [
    [1, 'a', 'b, c', 'd "e"'],
    [3, 'one\ntwo', '', ''],
    [5, '', 'x', 'y'],
  ];
  for (const size of [1, 2, 3, 5, 1000]) assert.deepEqual(await recordsOf(text, size), expected, `chunks of ${size}`);
});

test('a file that is no CSV is refused with the line', async () => {
  await assert.rejects(recordsOf('a\nb"c\n'), /line 2: a quote/);
  await assert.rejects(recordsOf('a\n"b" c\n'), /line 2: a quote/);
  await assert.rejects(recordsOf('a\n"b\nc'), /line 2: a quote is never closed/);
  await assert.rejects(recordsOf(`a\n${'b'.repeat(65_537)}`, 1000), /line 2: the record is too long/);
});

test('columns are found by name in any order and case; a line that is none is told and left out', async () => {
  const found = await save(
    'LATA,State,"NXX",County,npa\n132,ny,736,New York,212\n132,NY,136,New York,212\n1,N,736,x,213\n730,CA,200,"Los Angeles",213\n',
  );
  assert.deepEqual(found, {
    total: 4,
    accepted: 2,
    failed: 2,
    errors: [
      { line: 3, reason: 'nxx is no exchange: "136"' },
      { line: 4, reason: 'state is not two letters: "N"' },
    ],
  });
  assert.deepEqual(await locate(db, '12127360000'), { state: 'NY', county: 'NEW YORK' });
  assert.deepEqual(await locate(db, '2132000000'), { state: 'CA', county: 'LOS ANGELES' });
  for (const header of ['npa,nxx,state', 'npa,nxx,state,county,NPA', ''])
    await assert.rejects(save(`${header}\n212,555,NY,NEW YORK\n`), /column|empty/, header);
});

test('what is imported wins over the demo, and a later start brings no demo back', async () => {
  assert.equal((await locate(db, '12125550100')).county, 'NEW YORK');
  await save('npa,nxx,state,county\n212,555,NY,Bronx\n');
  assert.equal((await locate(db, '12125550100')).county, 'BRONX');
  assert.equal((await locate(db, '13125550100')).county, 'COOK');
  await save('npa,nxx,state,county\n212,555,NY,Queens\n', true);
  await seedDemo(db, demo, passingSeal());
  assert.equal((await locate(db, '12125550100')).county, 'QUEENS');
  assert.deepEqual(await locate(db, '13125550100'), { state: 'IL', county: '' });
});

test('a file that breaks after many lines changes nothing', async () => {
  const lines = Array.from({ length: 5_000 }, (_, n) => `${200 + Math.floor(n / 700)},${200 + (n % 700)},NY,Kings`);
  const text = `npa,nxx,state,county\n${lines.join('\n')}\n"never closed`;
  await assert.rejects(
    saveExchanges(db, exchangesOf(csvRecords(chunks(text, 4096))), { replaceDemo: true }),
    /never closed/,
  );
  const rows = await db.selectFrom('numbering').select('demo').execute();
  assert.ok(rows.length > 0 && rows.every((row) => row.demo));
});

test('the command imports into the database that api uses, and says what it did', { timeout: 60_000 }, async () => {
  const run = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((done) => {
      const env = { ...process.env, OPENTACT_HOME: home, DATABASE_URL: '', OPENTACT_API_DATABASE_URL: '' };
      execFile(process.execPath, [COMMAND, ...args], { env }, (error, out, err) =>
        done({ code: error ? Number(error.code) : 0, out, err }),
      );
    });
  const file = join(home, 'lerg.csv');
  await writeFile(file, 'NPA,NXX,STATE,COUNTY\n617,200,MA,Suffolk\n617,201,MA,"Suffolk"\n');
  const good = await run(file);
  assert.deepEqual([good.code, good.err], [0, '2 lines: 2 taken, 0 left out\n']);
  assert.equal((await locate(db, '16172010000')).county, 'SUFFOLK');
  assert.ok(server.alive(), 'a server that ran before goes on');
  await writeFile(file, 'NPA,NXX,STATE,COUNTY\n617,202,MA,Suffolk\n617,,MA,Suffolk\n');
  const partly = await run(file, '--replace-demo');
  assert.equal(partly.code, 1);
  assert.match(partly.err, /^line 3: nxx is no exchange: ""\n2 lines: 1 taken, 1 left out\n$/);
  assert.deepEqual(await locate(db, '12125550100'), { state: 'NY', county: '' });
  await writeFile(file, 'NPA,NXX\n617,203\n');
  const bad = await run(file);
  assert.deepEqual([bad.code, bad.err], [2, 'line 1: the header has no column state; nothing was changed\n']);
  assert.equal((await run(join(home, 'nowhere.csv'))).code, 2);
  assert.equal((await run()).code, 2);
  const help = await run('--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /--replace-demo/);
});
