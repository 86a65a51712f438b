/** The call log is what the journal says: made once, made again from nothing, or by two processes at once, it is the same. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createMemoryServer, type EmbeddedPostgres, embeddedPostgres, memoryLog } from '@opentact/event-log';
import { type CallEvent, encodeEvent, readEvent, versionOf } from '@opentact/proto';
import { createLogger, partitionOf } from '@opentact/runtime';
import { type Database, migrate, openDatabase } from '../database/database.ts';
import { followJournal, forgetCallLog } from './follow.ts';

const CALLS = fileURLToPath(new URL('../../../../test/replay/calls/', import.meta.url));
const JOURNAL = 'calls.journal';
const logger = createLogger({ service: 't', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const journal = createMemoryServer();
let home: string;
let server: EmbeddedPostgres;
let db: Database;
let calls = 0;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-call-log-'));
  server = await embeddedPostgres({ home, databases: ['opentact_api'] });
  db = openDatabase(server.url('opentact_api'));
  await migrate(db);
  const log = memoryLog(journal);
  for (const name of (await readdir(CALLS)).filter((file) => file.endsWith('.story'))) await tell(log, name);
  await log.close();
});
after(async () => {
  await db.destroy();
  await server.stop();
  await rm(home, { recursive: true });
});

/** A golden story into the journal, as a call of its own. */
async function tell(log: ReturnType<typeof memoryLog>, name: string): Promise<void> {
  const [, ...lines] = (await readFile(`${CALLS}${name}`, 'utf8')).trimEnd().split('\n');
  const callId = `00000000-0000-8000-8000-00000${String(calls++).padStart(3, '0')}0000`;
  const records = lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => {
      const [bytes, schema] = line.split(' ').reverse();
      const event: CallEvent = { ...readEvent(Buffer.from(bytes!, 'base64'), schema), callId };
      const headers = { type: event.type, seq: String(event.seq), schema: String(versionOf(event.type)) };
      return { key: callId, headers, bytes: encodeEvent(event) };
    });
  const writer = await log.take(JOURNAL, partitionOf(callId, log.partitions));
  await writer.append({ records });
  await writer.release();
}

/** Follows until nothing more changes. */
async function followed(processes = 1): Promise<unknown> {
  const over = new AbortController();
  const logs = Array.from({ length: processes }, () => memoryLog(journal));
  const following = logs.map((log) => followJournal(db, log, over.signal, logger));
  let last = '';
  for (let calm = 0, until = Date.now() + 20_000; calm < 5; calm++) {
    await sleep(100);
    const found = await whole();
    const now = JSON.stringify(found);
    if (now !== last || found.calls.length < calls) calm = 0;
    last = now;
    assert.ok(Date.now() < until, `${found.calls.length} of ${calls} calls after 20 s`);
  }
  over.abort();
  await Promise.all(following);
  await Promise.all(logs.map((log) => log.close()));
  return whole();
}

/** But for the transactions that wrote it. */
const said = <T extends object>(rows: T[]) =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !/^(added|ended)_by$/.test(name))) as T);
const whole = async () => ({
  calls: said(await db.selectFrom('call_log').selectAll().orderBy('id').execute()),
  flows: said(await db.selectFrom('flow_log').selectAll().orderBy('call_id').orderBy('seq').execute()),
  recordings: said(await db.selectFrom('recording_log').selectAll().orderBy('call_id').orderBy('id').execute()),
});

test('each call of the journal is in the log, over, with its verbs; made again from nothing it is equal', async () => {
  const first = (await followed()) as Awaited<ReturnType<typeof whole>>;
  assert.equal(first.calls.length, calls);
  for (const call of first.calls) assert.ok(call.hangup_on && call.owner, JSON.stringify(call));
  assert.ok(first.flows.length > calls, `${first.flows.length} verbs`);
  assert.ok(first.recordings.some(({ duration_ms }) => Number(duration_ms) > 0));
  assert.deepEqual(await followed(), first, 'following on changes nothing');
  await forgetCallLog(db);
  assert.deepEqual((await whole()).calls, []);
  assert.deepEqual(await followed(), first);
  await forgetCallLog(db);
  assert.deepEqual(await followed(3), first, 'three processes at once');
});
