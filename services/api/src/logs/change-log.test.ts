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
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { changeLog } from './change-log.ts';
import { CALL_LOG, CHARGES, readToEnd } from './follow.ts';
import { storyOf } from './stories.ts';

const STORY = fileURLToPath(new URL('../../../../test/replay/calls/real-callback.story', import.meta.url));
const JOURNAL = 'calls.journal';
const ACCOUNT = randomUUID();
const ENDED = '00000000-0000-8000-8000-00000e000000';
const LIVE = '00000000-0000-8000-8000-00000e010000';
const LATER = '00000000-0000-8000-8000-00000e020000';
const LEG = legUuid(LIVE, 1);
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

/** The golden story as a call of its own. @param isOver false: without its leg's end and what follows */
async function tell(log: EventLog, callId: string, isOver: boolean): Promise<CallEvent[]> {
  const { events } = readStoryFile(await readFile(STORY, 'utf8'));
  const end = events.findIndex(({ type }) => type === 'LegEnded');
  const told = (isOver ? events : events.slice(0, end)).map((event) => ({ ...event, callId }));
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
const legs = () => db.selectFrom('outbound_leg').select('ended_on').where('leg', '=', LEG).execute();
const standing = async (log: string) =>
  (await db.selectFrom('call_log_cursor').select('position').where('log', '=', log).execute()).map((row) =>
    Number(row.position),
  );

test('a first log is read on where a version of before stood, which did not say of which it was', async () => {
  const log = named('first');
  await db
    .insertInto('call_log_cursor')
    .values(Array.from({ length: log.partitions }, (_, partition) => ({ partition, position: '7' })))
    .execute();
  await changeLog(db, log, () => assert.fail('nothing was before'), logger);
  assert.deepEqual(await standing('first'), Array(log.partitions).fill(7));
  assert.deepEqual(await standing(''), []);
  await db.deleteFrom('call_log_cursor').execute();
  await db.deleteFrom('charge_cursor').execute();
});

test('the log of before is read to its end, and what lived on it is over', async () => {
  const [old, log] = [named('old'), named('new')];
  await changeLog(db, old, () => assert.fail('nothing was before'), logger);
  await tell(old, ENDED, true);
  const told = await tell(old, LIVE, false);
  const last = told.at(-1)!.at;
  await db
    .insertInto('outbound_leg')
    .values({
      ...{ leg: LEG, call_id: LIVE, account_id: ACCOUNT, profile_id: null, called: '13055550100' },
      ...{
        rate: '0.06',
        increment_s: 60,
        hold: '0.06',
        hold_s: 60,
        answered_on: new Date(last - 90_000),
        ended_on: null,
      },
    })
    .execute();
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
  assert.ok(hangup_on! >= new Date(last));
  assert.ok((await legs())[0]!.ended_on, 'nobody pays for it any more');
  const place = { log: 'old', partition: partitionOf(LIVE, old.partitions) };
  assert.equal((await storyOf(db, { callId: LIVE, fromSeq: 1, ...place })).records.length, told.length);

  assert.deepEqual(await standing('new'), Array(log.partitions).fill(0));
  await tell(log, LATER, false);
  for (const reader of [CALL_LOG, CHARGES]) await readToEnd(db, log, reader);
  assert.equal((await callOf(LATER))?.state, 'live');
  await changeLog(db, log, () => assert.fail('it was followed before'), logger);
  assert.equal((await callOf(LATER))?.state, 'live', 'a restart ends nothing');
});

test('a log of before that can’t be had holds up nothing', async () => {
  const log = named('third');
  const broken: EventLog = {
    ...named('old'),
    replay: () => {
      throw new Error('away');
    },
  };
  await changeLog(db, log, async () => broken, logger);
  assert.deepEqual(await standing('third'), Array(log.partitions).fill(0));
  assert.equal((await callOf(LATER))?.state, 'destroyed');
});
