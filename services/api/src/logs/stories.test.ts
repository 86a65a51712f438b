/** The story store has what the journal had of each call: once, whoever read it how often, and after the journal has lost it. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createMemoryServer, type EventLog, memoryLog, type NewRecord } from '@opentact/event-log';
import { encodeEvent, readStoryFile, versionOf } from '@opentact/proto';
import { partitionOf } from '@opentact/runtime';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { dropOldStories, readOn, storyOf } from './stories.ts';

const CALLS = fileURLToPath(new URL('../../../../test/replay/calls/', import.meta.url));
const JOURNAL = 'calls.journal';
const PIECE = 1024 * 1024;
let home: string;
let database: TestDatabase;
let db: Database;
let log: EventLog;
let calls = 0;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-stories-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  log = memoryLog(createMemoryServer());
});
after(async () => {
  await log.close();
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

const newId = () => `00000000-0000-8000-8000-00000${String(calls++).padStart(3, '0')}0000`;

async function append(records: NewRecord[]): Promise<void> {
  const writer = await log.take(JOURNAL, partitionOf(records[0]!.key, log.partitions));
  await writer.append({ records });
  await writer.release();
}

const record = (key: string, seq: number, type: string, bytes = Buffer.from(`${key} ${seq}`)): NewRecord => ({
  key,
  headers: { type, seq: String(seq), schema: '1' },
  bytes,
});

/** Of the golden stories, as calls of their own. */
async function golden(): Promise<NewRecord[][]> {
  const names = (await readdir(CALLS)).filter((name) => name.endsWith('.story'));
  return Promise.all(
    names.map(async (name) => {
      const { events } = readStoryFile(await readFile(`${CALLS}${name}`, 'utf8'));
      const key = newId();
      return events.map((event) => ({
        key,
        headers: { type: event.type, seq: String(event.seq), schema: String(versionOf(event.type)) },
        bytes: encodeEvent({ ...event, callId: key }),
      }));
    }),
  );
}

/** Reads on until nothing is left. */
async function all(of: EventLog = log): Promise<void> {
  while (
    await readOn(db, of, (_, error) => {
      throw error;
    })
  );
}

const request = (callId: string, fromSeq = 1) => ({
  callId,
  fromSeq,
  log: log.id,
  partition: partitionOf(callId, log.partitions),
});

/** Everything that the store has of a call, by its pages. */
async function stored(callId: string) {
  const found: NewRecord[] = [];
  for (;;) {
    const { records, more } = await storyOf(db, request(callId, found.length + 1));
    found.push(...records.map(({ headers, bytes }) => ({ key: callId, headers, bytes })));
    if (!more) return found;
    assert.ok(records.length > 0, 'a page that says there is more has something');
  }
}

const rowsOf = (callId: string) =>
  db.selectFrom('call_story').selectAll().where('call_id', '=', callId).orderBy('from_seq').execute();
const plain = (records: NewRecord[]) =>
  records.map(({ headers, bytes }) => ({ headers: { ...headers }, bytes: Buffer.from(bytes).toString('hex') }));

test('a call that was read in many pieces is one when it is over, as the journal had it', async () => {
  const told = await golden();
  const longest = Math.max(...told.map(({ length }) => length));
  for (let at = 0; at < longest; at += 7) {
    for (const records of told) if (at < records.length) await append(records.slice(at, at + 7));
    await all();
  }
  for (const records of told) {
    const callId = records[0]!.key;
    assert.deepEqual(plain(await stored(callId)), plain(records));
    const rows = await rowsOf(callId);
    const isOver = records.some(({ headers }) => headers.type === 'CallEnded');
    assert.deepEqual([rows.length, rows[0]!.is_over], isOver ? [1, true] : [Math.ceil(records.length / 7), false]);
  }
});

test('what comes after the end joins it, and what lives is in pieces until then', async () => {
  const id = newId();
  await append([record(id, 1, 'CallArrived'), record(id, 2, 'NodeRequested')]);
  await all();
  await append([record(id, 3, 'LegAnswered')]);
  await all();
  assert.deepEqual(
    (await rowsOf(id)).map(({ from_seq, to_seq, is_over }) => [from_seq, to_seq, is_over]),
    [
      [1, 2, false],
      [3, 3, false],
    ],
  );
  await append([record(id, 4, 'CallEnded')]);
  await all();
  await append([record(id, 5, 'SessionReleased')]);
  await all();
  assert.deepEqual(
    (await rowsOf(id)).map(({ from_seq, to_seq, is_over }) => [from_seq, to_seq, is_over]),
    [[1, 5, true]],
  );
});

test('read again from the beginning, and by two at once, it is the same', async () => {
  const told = await golden();
  for (const records of told) await append(records);
  await all();
  const live = newId();
  await append([record(live, 1, 'CallArrived')]);
  await all();
  await append([record(live, 2, 'LegAnswered')]);
  await all();
  const everything = async () => {
    const found: unknown[] = [];
    for (const id of [...told.map((records) => records[0]!.key), live]) found.push(plain(await stored(id)));
    return found;
  };
  const first = await everything();
  await db.updateTable('story_cursor').set({ position: '0' }).execute();
  await Promise.all([all(), all()]);
  await all();
  assert.deepEqual(await everything(), first);
});

test('a long story comes in pages of some MiB', async () => {
  const id = newId();
  const bytes = Buffer.alloc(200_000, 'x');
  const records = Array.from({ length: 30 }, (_, i) => record(id, i + 1, i === 29 ? 'CallEnded' : 'X', bytes));
  for (let at = 0; at < records.length; at += 3) {
    await append(records.slice(at, at + 3));
    await all();
  }
  const page = await storyOf(db, request(id));
  assert.equal(page.more, true);
  assert.ok(page.records.reduce((sum, { bytes }) => sum + bytes.length, 0) < 2 * PIECE);
  assert.deepEqual(plain(await stored(id)), plain(records));
  const [late] = (await storyOf(db, request(id, 17))).records;
  assert.equal(late!.headers.seq, '17');
});

test('it says how far it has read: nobody knows before, all that was durable after', async () => {
  const id = newId();
  const partition = partitionOf(id, log.partitions);
  const other = await storyOf(db, { ...request(id), log: 'another' });
  assert.deepEqual([other.position, other.behindMs], [0, 2 ** 32 - 1]);
  await append([record(id, 1, 'CallArrived')]);
  let head = 0;
  for await (const { position } of log.replay(JOURNAL, partition, 0)) head = position;
  await db
    .updateTable('story_cursor')
    .set({ complete_at: new Date(Date.now() - 3_600_000) })
    .execute();
  const before = await storyOf(db, request(id));
  assert.ok(before.position < head && before.behindMs >= 3_600_000, `${before.position}, ${before.behindMs}`);
  await all();
  const after = await storyOf(db, request(id));
  assert.equal(after.position, head);
  assert.ok(after.behindMs < before.behindMs);
});

test('a log of another id is read from its own beginning', async () => {
  const other = { ...memoryLog(createMemoryServer()), id: 'another' };
  const id = newId();
  const writer = await other.take(JOURNAL, partitionOf(id, other.partitions));
  await writer.append({ records: [record(id, 1, 'CallArrived'), record(id, 2, 'CallEnded')] });
  await all(other);
  assert.equal((await stored(id)).length, 2);
  await other.close();
});

test('who is overtaken reads on: there may be more', async () => {
  const id = newId();
  const records = Array.from({ length: 2_001 }, (_, i) => record(id, i + 1, 'X'));
  await append(records);
  let overtakes = true;
  const slow: EventLog = {
    ...log,
    async *replay(...of) {
      const isFirst = overtakes && of[1] === partitionOf(id, log.partitions);
      if (isFirst) overtakes = false;
      if (isFirst) await readOn(db, log, (_, error) => assert.fail(String(error)));
      yield* log.replay(...of);
    },
  };
  await all(slow);
  assert.equal((await stored(id)).length, records.length);
});

test('a damaged piece stays as it is, and holds up no other call', async () => {
  const id = newId();
  const partition = partitionOf(id, log.partitions);
  let other = newId();
  while (partitionOf(other, log.partitions) !== partition) other = newId();
  await append([record(id, 1, 'CallArrived')]);
  await all();
  const damaged = Buffer.from('no piece');
  await db.updateTable('call_story').set({ records: damaged }).where('call_id', '=', id).execute();
  await append([record(id, 2, 'CallEnded')]);
  await append([record(other, 1, 'CallArrived'), record(other, 2, 'CallEnded')]);
  await all();
  assert.equal((await stored(other)).length, 2);
  const [first, second] = await rowsOf(id);
  assert.deepEqual([first!.from_seq, first!.records], [1, damaged]);
  assert.deepEqual([second!.from_seq, second!.is_over], [2, true]);
});

test('a wait for a connection is not in what it says: complete as of before the journal was read', async () => {
  const watch = openDatabase(database.url);
  const waits: Array<Promise<unknown>> = [];
  let seen: Date | undefined;
  const busy: EventLog = {
    ...log,
    async *replay(...of) {
      yield* log.replay(...of);
      if (of[1] < log.partitions - 1) return;
      seen = (await sql<{ at: Date }>`select clock_timestamp() as at`.execute(watch)).rows[0]!.at;
      // Every connection of the pool.
      for (let i = 0; i < 8; i++) waits.push(sql`select pg_sleep(0.5)`.execute(db));
    },
  };
  await all();
  await all(busy);
  await Promise.all(waits);
  await watch.destroy();
  const cursors = await db.selectFrom('story_cursor').select('complete_at').where('log', '=', log.id).execute();
  for (const { complete_at } of cursors) assert.ok(complete_at <= seen!, `${complete_at.toISOString()}`);
});

test('what nobody can make a story of is passed over: no call, no place', async () => {
  const id = newId();
  const writer = await log.take(JOURNAL, partitionOf(id, log.partitions));
  const strange = { ...record(id, 1, 'X'), headers: { type: 'X' } };
  await writer.append({
    records: [record('', 1, 'PartitionTaken'), record('no-uuid', 1, 'X'), strange, record(id, 1, 'X')],
  });
  await all();
  assert.deepEqual(
    (await stored(id)).map(({ headers }) => headers.seq),
    ['1'],
  );
});

test('stories go when they are as old as the journal is kept', async () => {
  const [old, young] = [newId(), newId()];
  await append([record(old, 1, 'CallArrived'), record(old, 2, 'CallEnded')]);
  await append([record(young, 1, 'CallArrived')]);
  await all();
  const day = 86_400_000;
  await db
    .updateTable('call_story')
    .set({ written_on: new Date(Date.now() - 31 * day) })
    .where('call_id', '=', old)
    .execute();
  assert.equal(await dropOldStories(db, new Date(Date.now() - 30 * day)), 1);
  assert.deepEqual([(await stored(old)).length, (await stored(young)).length], [0, 1]);
});
