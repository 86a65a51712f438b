/** The journal moves to another log: what was on the one before is read to its end, what lived there is over and paid as far, and the new one is read from its beginning. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createMemoryServer, type EventLog, memoryLog } from '@opentact/event-log';
import { type CallEvent, encodeEvent, legUuid, readStoryFile, versionOf } from '@opentact/proto';
import { createLogger, partitionOf } from '@opentact/runtime';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { changeLog } from './change-log.ts';
import { READERS } from './readers.ts';
import { readOn, storyOf } from './stories.ts';
import { readToEnd } from './write-journal.ts';

const STORY = fileURLToPath(new URL('../../../../test/replay/calls/real-callback.story', import.meta.url));
const RECORDED_STORY = fileURLToPath(
  new URL('../../../../test/replay/calls/real-recorded-behind.story', import.meta.url),
);
const JOURNAL = 'calls.journal';
const ACCOUNT = randomUUID();
const ENDED = '00000000-0000-8000-8000-00000e000000';
const LIVE = '00000000-0000-8000-8000-00000e010000';
const LATER = '00000000-0000-8000-8000-00000e020000';
const LIVE_ON_THIRD = '00000000-0000-8000-8000-00000e030000';
const RECORDED = '00000000-0000-8000-8000-00000e040000';
const logger = createLogger({ service: 't', node: 't', boot: 'b', level: 'silent' }, { write() {} });
let home: string;
let database: TestDatabase;
let db: Database;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-change-log-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  const limits = { calls_max: 100, dials_per_minute_max: 60 };
  await db
    .insertInto('account')
    .values({ id: ACCOUNT, name: 'A', balance: '10', ...limits })
    .execute();
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

const named = (id: string): EventLog => ({ ...memoryLog(createMemoryServer()), id });

async function golden(callId: string, file = STORY): Promise<CallEvent[]> {
  const { events } = readStoryFile(await readFile(file, 'utf8'));
  return events.map((event) => ({ ...event, callId }));
}

/** The golden story as a call of its own. @param isOver false: without its leg's end and what follows */
async function tell(log: EventLog, callId: string, isOver: boolean): Promise<CallEvent[]> {
  const events = await golden(callId);
  const end = events.findIndex(({ type }) => type === 'LegEnded');
  return append(log, callId, isOver ? events : events.slice(0, end));
}

async function append(log: EventLog, callId: string, told: CallEvent[]): Promise<CallEvent[]> {
  const records = told.map((event) => ({
    key: callId,
    headers: { type: event.type, seq: String(event.seq), schema: String(versionOf(event.type)) },
    bytes: encodeEvent(event),
  }));
  const writer = await log.take(JOURNAL, partitionOf(callId, log.partitions));
  await writer.append({ records });
  return told;
}

const callOf = (id: string) =>
  db.selectFrom('call_log').select(['state', 'reason', 'hangup_on']).where('id', '=', id).executeTakeFirst();
const legOfCall = (id: string) =>
  db
    .selectFrom('outbound_leg')
    .select(['ended_on', 'charged'])
    .where('leg', '=', legUuid(id, 1))
    .executeTakeFirstOrThrow();
/** A leg of the call, answered then, at 0.06 a minute. */
const dialled = (id: string, answered: number) =>
  db
    .insertInto('outbound_leg')
    .values({
      ...{ leg: legUuid(id, 1), call_id: id, account_id: ACCOUNT, profile_id: null, called: '13055550100' },
      ...{ rate: '0.06', increment_s: 60, hold: '0.06', hold_s: 60, answered_on: new Date(answered), ended_on: null },
    })
    .execute();
const seenLast = (log: string, at: number) =>
  db
    .updateTable('story_cursor')
    .set({ complete_at: new Date(at) })
    .where('log', '=', log)
    .execute();
const follow = async (log: EventLog) => {
  for (const reader of READERS) await readToEnd(db, log, reader);
};
const unexpected = () => assert.fail('it is the log that was followed last');
const standing = async (log: string) =>
  (await db.selectFrom('call_log_cursor').select('position').where('log', '=', log).execute()).map((row) =>
    Number(row.position),
  );

test('a first log is read on where a version of before stood, which did not say of which it was', async () => {
  const log = named('first');
  await db
    .insertInto('call_log_cursor')
    .values(Array.from({ length: log.partitions }, (_, partition) => ({ log: '', partition, position: '7' })))
    .execute();
  await changeLog(db, log, () => assert.fail('nothing was before'), logger);
  assert.deepEqual(await standing('first'), Array(log.partitions).fill(7));
  assert.deepEqual(await standing(''), []);
  await db.deleteFrom('call_log_cursor').execute();
  await db.deleteFrom('charge_cursor').execute();
  await db.deleteFrom('followed_log').execute();
});

test('the log of before is read to its end, and what lived on it is over', async () => {
  const [old, log] = [named('old'), named('new')];
  await changeLog(db, old, () => assert.fail('nothing was before'), logger);
  await tell(old, ENDED, true);
  const told = await tell(old, LIVE, false);
  const last = told.at(-1)!.at;
  await dialled(LIVE, last - 90_000);
  await readOn(db, old, unexpected);
  await seenLast('old', last + 20_000);
  let isClosed = false;
  const close = async () => {
    isClosed = true;
  };
  await Promise.all([
    changeLog(db, log, async () => ({ ...old, close }), logger),
    changeLog(db, log, async () => old, logger),
  ]);
  assert.ok(isClosed);
  assert.equal((await callOf(ENDED))?.state, 'destroyed');
  const { hangup_on, ...over } = (await callOf(LIVE))!;
  assert.deepEqual(over, { state: 'destroyed', reason: 'journal-changed' });
  const seen = new Date(last + 20_000);
  assert.deepEqual(hangup_on, seen, 'not the time in which the platform stood still');
  const { ended_on, charged } = await legOfCall(LIVE);
  assert.deepEqual([ended_on, Number(charged)], [seen, 0.12]);
  const place = { log: 'old', partition: partitionOf(LIVE, old.partitions) };
  assert.equal((await storyOf(db, { callId: LIVE, fromSeq: 1, ...place })).records.length, told.length);

  assert.deepEqual(await standing('new'), Array(log.partitions).fill(0));
  await tell(log, LATER, false);
  await follow(log);
  assert.equal((await callOf(LATER))?.state, 'live');
  await changeLog(db, log, unexpected, logger);
  assert.equal((await callOf(LATER))?.state, 'live', 'a restart ends nothing');
});

test('a log of before that can’t be had holds up nothing', async () => {
  const log = named('third');
  const { modifiedOn } = (
    await db.selectFrom('call_log').select('view').where('id', '=', LATER).executeTakeFirstOrThrow()
  ).view!;
  await dialled(LATER, modifiedOn - 90_000);
  await db.deleteFrom('story_cursor').execute();
  const broken: EventLog = {
    ...named('old'),
    replay: () => {
      throw new Error('away');
    },
  };
  await changeLog(db, log, async () => broken, logger);
  assert.deepEqual(await standing('third'), Array(log.partitions).fill(0));
  const { state, hangup_on } = (await callOf(LATER))!;
  assert.deepEqual([state, hangup_on], ['destroyed', new Date(modifiedOn)], 'as of what is known of it last');
  assert.equal(Number((await legOfCall(LATER)).charged), 0.12);
});

test('back on a log that was followed before, what lived on the other is over, and what waited for a recording', async () => {
  const [third, back] = [named('third'), named('new')];
  await changeLog(db, third, unexpected, logger);
  await tell(third, LIVE_ON_THIRD, false);
  const recorded = await golden(RECORDED, RECORDED_STORY);
  const told = await append(
    third,
    RECORDED,
    recorded
      .slice(0, recorded.findIndex(({ type }) => type === 'CallEnded') + 1)
      .filter(({ type }) => type !== 'RecordFinished' && type !== 'SessionReleased'),
  );
  await follow(third);
  const ended = told.find(({ type }) => type === 'LegEnded' || type === 'CallEnded')!;
  assert.deepEqual([(await callOf(LIVE_ON_THIRD))?.state, (await callOf(RECORDED))?.state], ['live', 'hangup']);
  await changeLog(db, back, async () => undefined, logger);
  assert.equal((await callOf(LIVE_ON_THIRD))?.state, 'destroyed');
  const { state, hangup_on, reason } = (await callOf(RECORDED))!;
  assert.deepEqual([state, hangup_on], ['destroyed', new Date(ended.at)], 'it hung up when it did');
  assert.notEqual(reason, 'journal-changed');
});

test('a cursor that does not say its log is refused: an api of before stands still beside this one', async () => {
  for (const table of ['call_log_cursor', 'charge_cursor'])
    await assert.rejects(
      sql`insert into ${sql.table(table)} (partition, position) values (0, 0)`.execute(db),
      /null value in column "log"/,
    );
});
