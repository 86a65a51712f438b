/** Readers write together, and who can't write stands still alone: by reader, by partition, and until it can. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryServer, memoryLog } from '@opentact/event-log';
import { type CallEvent, encodeEvent, versionOf } from '@opentact/proto';
import { createLogger } from '@opentact/runtime';
import { type Kysely, sql } from 'kysely';
import { type Database, openDatabase, type Tables } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { followJournal } from './follow.ts';
import type { Reader } from './readers.ts';

const JOURNAL = 'calls.journal';
const logger = createLogger({ service: 't', node: 't', boot: 'b', level: 'silent' }, { write() {} });
let home: string;
let database: TestDatabase;
let db: Database;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-follow-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  await sql`create table noted (nth serial, name text, call text)`.execute(db);
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

/** A journal that is written by `tell`, and the calls that were told. */
function journalOf() {
  const server = createMemoryServer();
  const log = memoryLog(server);
  return {
    server,
    log,
    async tell(partition: number, ...calls: string[]): Promise<void> {
      const event = { type: 'CallEnded', owner: 'us', reason: 'bye', q850: 16, durationMs: 1, seq: 1, at: 1 };
      const headers = { type: event.type, seq: '1', schema: String(versionOf('CallEnded')) };
      const writer = await log.take(JOURNAL, partition);
      await writer.append({
        records: calls.map((key) => ({
          ...{ key, headers },
          bytes: encodeEvent({ ...event, callId: key } as CallEvent),
        })),
      });
      await writer.release();
    },
  };
}

/** A reader that writes which calls it was given into a table of the test; it can't write those of `spoiled`. */
async function noting(cursor: Reader['cursor'], spoiled = new Set<string>()) {
  const name = randomUUID();
  let batches = 0;
  const reader: Reader = {
    name: cursor,
    cursor,
    reads: () => true,
    examines: false,
    async writeUnreadable() {},
    async write(tx: Kysely<Tables>, events: CallEvent[]) {
      batches++;
      const calls = events.map(({ callId }) => callId);
      const bad = calls.find((call) => spoiled.has(call));
      if (bad) throw new Error(`${bad} can’t be written`);
      await sql`insert into noted (name, call) select ${name}, call from unnest(${calls}::text[]) as call`.execute(tx);
    },
  };
  const calls = async () => {
    const { rows } = await sql<{ call: string }>`select call from noted where name = ${name} order by nth`.execute(db);
    return rows.map(({ call }) => call);
  };
  return { reader, spoiled, batches: () => batches, calls };
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 20_000; !(await holds()); await sleep(20)) assert.ok(Date.now() < end, what);
}

test('what comes of all partitions is written together: its transactions don’t grow with the calls', async (t) => {
  const { log, tell } = journalOf();
  const [one, other] = await Promise.all([noting('call_log_cursor'), noting('charge_cursor')]);
  const calls = Array.from({ length: 80 }, () => randomUUID());
  for (const [n, call] of calls.entries()) await tell(n % log.partitions, call);
  const end = new AbortController();
  t.after(() => end.abort());
  const following = followJournal(db, log, end.signal, logger, [one.reader, other.reader]);
  await until(async () => (await one.calls()).length + (await other.calls()).length === 160, 'not all was written');
  end.abort();
  await following;
  assert.deepEqual([(await one.calls()).sort(), (await other.calls()).sort()], [calls.toSorted(), calls.toSorted()]);
  assert.ok(one.batches() <= 3, `${one.batches()} batches`);
  await log.close();
});

test('who can’t write stands still alone, and has everything once it can: its own and what the others were given meanwhile', async (t) => {
  const { log, tell } = journalOf();
  const [well, ill] = await Promise.all([noting('call_log_cursor'), noting('charge_cursor')]);
  const [first, spoiled, behind, apart] = Array.from({ length: 4 }, () => randomUUID()) as [
    string,
    string,
    string,
    string,
  ];
  await db.deleteFrom('call_log_cursor').execute();
  await db.deleteFrom('charge_cursor').execute();
  const end = new AbortController();
  t.after(() => end.abort());
  const following = followJournal(db, log, end.signal, logger, [well.reader, ill.reader]);
  await tell(3, first);
  await until(async () => (await ill.calls()).length === 1, 'the first was not written');
  ill.spoiled.add(spoiled);
  await tell(3, spoiled);
  await until(async () => (await well.calls()).includes(spoiled), 'the other reader stands still, too');
  await tell(3, behind);
  await tell(5, apart);
  await until(
    async () => (await well.calls()).includes(behind) && (await ill.calls()).includes(apart),
    'the others stand still, too',
  );
  assert.ok(!(await ill.calls()).includes(behind), 'order was lost');
  ill.spoiled.clear();
  await until(async () => (await ill.calls()).includes(behind), 'it never went on');
  const last = randomUUID();
  await tell(3, last);
  await until(
    async () => (await ill.calls()).includes(last) && (await well.calls()).includes(last),
    'it didn’t follow again',
  );
  assert.deepEqual(
    (await ill.calls()).filter((call) => call !== apart),
    [first, spoiled, behind, last],
  );
  assert.deepEqual((await well.calls()).toSorted(), [first, spoiled, behind, apart, last].sort());
  end.abort();
  await following;
  await log.close();
});

test('of several processes each event is written by one, also when the one that was ahead is gone', async (t) => {
  const { server, log, tell } = journalOf();
  await db.deleteFrom('call_log_cursor').execute();
  const notes = await Promise.all([noting('call_log_cursor'), noting('call_log_cursor')]);
  const ends = notes.map(() => new AbortController());
  t.after(() => {
    for (const end of ends) end.abort();
  });
  const logs = notes.map(() => memoryLog(server));
  const following = notes.map(({ reader }, n) => followJournal(db, logs[n]!, ends[n]!.signal, logger, [reader]));
  const calls = Array.from({ length: 40 }, () => randomUUID());
  const written = async () => (await Promise.all(notes.map((note) => note.calls()))).flat();
  for (const [n, call] of calls.entries()) {
    await tell(n % log.partitions, call);
    if (n === 20) ends[0]!.abort();
  }
  await until(async () => (await written()).length >= calls.length, 'not all was written');
  ends[1]!.abort();
  await Promise.all(following);
  assert.deepEqual((await written()).sort(), calls.toSorted());
  await Promise.all([log, ...logs].map((one) => one.close()));
});

test('a reader that is far behind when api starts holds up nobody else, and comes to the end', async (t) => {
  const { log, tell } = journalOf();
  const calls = Array.from({ length: 3_000 }, () => randomUUID());
  await tell(0, ...calls);
  const [behind, ahead] = await Promise.all([noting('call_log_cursor'), noting('charge_cursor')]);
  const stand = (cursor: Reader['cursor'], position: number) =>
    db
      .updateTable(cursor)
      .set({ position: String(position) })
      .where('log', '=', log.id)
      .where('partition', '=', 0);
  await db.deleteFrom('call_log_cursor').execute();
  await db.deleteFrom('charge_cursor').execute();
  const places = Array.from({ length: log.partitions }, (_, partition) => ({ log: log.id, partition, position: '0' }));
  for (const cursor of ['call_log_cursor', 'charge_cursor'] as const)
    await db.insertInto(cursor).values(places).execute();
  await stand('charge_cursor', calls.length).execute();
  const slow = behind.reader.write;
  behind.reader.write = async (tx, events) => {
    await sleep(100);
    await slow(tx, events);
  };
  const end = new AbortController();
  t.after(() => end.abort());
  const following = followJournal(db, log, end.signal, logger, [behind.reader, ahead.reader]);
  const late = randomUUID();
  await tell(0, late);
  await until(async () => (await ahead.calls()).includes(late), 'the one that was ahead was never given it');
  assert.ok((await behind.calls()).length < calls.length, 'it waited for the one behind');
  await until(async () => (await behind.calls()).includes(late), 'the one behind never came to the end');
  assert.deepEqual((await behind.calls()).toSorted(), [...calls, late].sort());
  assert.deepEqual(await ahead.calls(), [late]);
  end.abort();
  await following;
  await log.close();
});
