/** The call log is what the journal says: made once, made again from nothing, or by two processes at once, it is the same. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createMemoryServer, memoryLog } from '@opentact/event-log';
import { type CallEvent, encodeEvent, readStoryFile, versionOf } from '@opentact/proto';
import { createLogger, partitionOf } from '@opentact/runtime';
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { followJournal } from './follow.ts';
import { forgetCallLog } from './forget.ts';
import { CALL_LOG } from './readers.ts';
import { objectOfRow } from './row.ts';

const CALLS = fileURLToPath(new URL('../../../../test/replay/calls/', import.meta.url));
const JOURNAL = 'calls.journal';
/** Fields that every event which is written here may need. */
const SPARE = { app: undefined, invite: Buffer.alloc(0), transport: 'udp', sourceAddress: '', localTag: '', sdp: '' };
const logger = createLogger({ service: 't', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const journal = createMemoryServer();
let home: string;
let database: TestDatabase;
let db: Database;
let calls = 0;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-call-log-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  const log = memoryLog(journal);
  for (const name of (await readdir(CALLS)).filter((file) => file.endsWith('.story'))) await tell(log, name);
  await log.close();
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

/** A golden story into the journal, as a call of its own. */
async function tell(log: ReturnType<typeof memoryLog>, name: string): Promise<void> {
  const { events } = readStoryFile(await readFile(`${CALLS}${name}`, 'utf8'));
  const callId = `00000000-0000-8000-8000-00000${String(calls++).padStart(3, '0')}0000`;
  const records = events.map((event) => {
    const headers = { type: event.type, seq: String(event.seq), schema: String(versionOf(event.type)) };
    return { key: callId, headers, bytes: encodeEvent({ ...event, callId }) };
  });
  const writer = await log.take(JOURNAL, partitionOf(callId, log.partitions));
  await writer.append({ records });
  await writer.release();
}

/** Follows until nothing more changes. */
async function followed(processes = 1): Promise<unknown> {
  const over = new AbortController();
  const logs = Array.from({ length: processes }, () => memoryLog(journal));
  const following = logs.map((log) => followJournal(db, log, over.signal, logger, [CALL_LOG]));
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

test('whatever characters a caller’s name or a tag has, the log goes on', async () => {
  const callId = '00000000-0000-8000-8000-00000f020000';
  const log = memoryLog(journal);
  const writer = await log.take(JOURNAL, partitionOf(callId, log.partitions));
  const texts = ['\\u0000', '\0', `${'a'.repeat(199)}😀`, '\ud83d', '"}'];
  const facts = [
    { type: 'CallArrived', accountId: 'a', fromNumber: `tel:${texts.join('')}`, toNumber: '2' },
    ...texts.map((tag, n) => ({
      ...{
        type: 'VerbEnded',
        name: 'Say',
        path: `Say[${n}]`,
        document: 1,
        success: true,
        reason: tag,
        tag,
        branch: '',
        skip: 0,
      },
    })),
    { type: 'LegEnded', leg: 0, by: 'peer', status: 0, q850: 16, reason: texts.join('') },
    { type: 'CallEnded', owner: 'caller', reason: texts.join(''), q850: 16, durationMs: 1 },
  ];
  await writer.append({
    records: facts.map((fact, n) => {
      const event = { ...SPARE, ...fact, callId, seq: n + 1, at: 1_000 + n } as unknown as CallEvent;
      const headers = { type: event.type, seq: String(event.seq), schema: String(versionOf(event.type)) };
      return { key: callId, headers, bytes: encodeEvent(event) };
    }),
  });
  await writer.release();
  await log.close();
  const end = new AbortController();
  const reading = memoryLog(journal);
  const following = followJournal(db, reading, end.signal, logger, [CALL_LOG]);
  const row = () => db.selectFrom('call_log').selectAll().where('id', '=', callId).executeTakeFirst();
  for (let i = 0; i < 100 && (await row())?.state !== 'destroyed'; i++) await sleep(50);
  end.abort();
  await following;
  await reading.close();
  const { logs, state } = objectOfRow((await row())!);
  assert.deepEqual([state, logs.length], ['destroyed', texts.length]);
  assert.equal(logs[0]!.tag, '\\u0000');
});

test('a record that can’t be read stops neither its partition nor its call’s log, and is listed; a newer version’s stops', async () => {
  const [callId, other] = ['00000000-0000-8000-8000-00000f000000', '00000000-0000-8000-8000-00000f010000'];
  const alarms: string[] = [];
  const told = createLogger({ service: 't', node: 't', boot: 'b', level: 'error' }, { write: (l) => alarms.push(l) });
  const arrived = { type: 'CallArrived', accountId: 'a', fromNumber: '1', toNumber: '2' };
  const over = { type: 'CallEnded', owner: 'caller', reason: 'bye', q850: 16, durationMs: 1 };
  const log = memoryLog(journal);
  const partition = partitionOf(callId, log.partitions);
  const writer = await log.take(JOURNAL, partition);
  const record = (key: string, seq: number, fact: object, bytes?: Uint8Array) => {
    const event = { ...SPARE, ...fact, callId: key, seq, at: 1 } as unknown as CallEvent;
    const headers = { type: event.type, seq: String(seq), schema: String(versionOf(event.type)) };
    return { key, headers, bytes: bytes ?? encodeEvent(event) };
  };
  const junk = Uint8Array.of(255, 255, 255, 255);
  await writer.append({
    records: [
      record(callId, 1, arrived),
      record(other, 1, arrived),
      record(callId, 2, { type: 'LegRang' }, junk),
      record(callId, 3, over, junk),
      record(other, 2, over),
    ],
  });
  const end = new AbortController();
  const following = followJournal(db, log, end.signal, told, [CALL_LOG]);
  const rows = () =>
    db
      .selectFrom('call_log')
      .select(['id', 'reason', 'state'])
      .where('id', 'in', [callId, other])
      .orderBy('id')
      .execute();
  for (let i = 0; i < 100 && (await rows()).filter(({ state }) => state === 'destroyed').length < 2; i++)
    await sleep(50);
  assert.deepEqual(await rows(), [
    { id: callId, reason: 'unreadable record', state: 'destroyed' },
    { id: other, reason: 'bye', state: 'destroyed' },
  ]);
  const noted = await db.selectFrom('quarantined_record').select(['call_id', 'seq', 'type']).orderBy('seq').execute();
  assert.deepEqual(noted, [
    { call_id: callId, seq: 2, type: 'LegRang' },
    { call_id: callId, seq: 3, type: 'CallEnded' },
  ]);
  assert.equal(alarms.filter((line) => /can’t be read/.test(line)).length, 2);
  const position = () =>
    db.selectFrom('call_log_cursor').select('position').where('partition', '=', partition).executeTakeFirstOrThrow();
  const before = await position();
  const newer = record(other, 3, over);
  await writer.append({ records: [{ ...newer, headers: { ...newer.headers, schema: '99' } }] });
  await sleep(500);
  assert.deepEqual(await position(), before, 'readers are deployed before writers');
  end.abort();
  await following;
  await writer.release();
  await log.close();
});

test('a row that an api of before ended, which keeps no call beside it, is over', async () => {
  const row = (await db.selectFrom('call_log').selectAll().where('state', '=', 'destroyed').executeTakeFirst())!;
  const [leg, ...more] = row.view!.legs;
  const { hangupOn: _, destroyOn: __, ...living } = leg!;
  const behind = { ...row, view: { ...row.view!, legs: [{ ...living, state: 'live' as const }, ...more] } };
  assert.equal(objectOfRow(behind).state, 'destroyed');
  assert.equal(objectOfRow({ ...row, view: null }).state, 'destroyed');
});
