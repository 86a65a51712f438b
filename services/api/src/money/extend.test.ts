/** Legs are paid ahead, and end where the next minute can't be paid: whatever runs at once, and whoever was away meanwhile. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { Refusal } from '../kernel/refusal.ts';
import { AHEAD_S, extendLegs } from './extend.ts';
import { callOf, reserve } from './reserve.ts';

let home: string;
let database: TestDatabase;
let db: Database;
const ended: Array<[call: string, reason: string]> = [];
const end = async (call: string, _: string, reason: string) => void ended.push([call, reason]);

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-extend-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  await db
    .insertInto('rate')
    .values([
      { direction: 'out', prefix: '1', price: '1' },
      { direction: 'out', prefix: '44', price: '1', increment_s: 6 },
    ])
    .execute();
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

async function account(balance: number): Promise<string> {
  const id = randomUUID();
  const row = { id, name: 'A', calls_max: 100, dials_per_minute_max: 60, balance: String(balance) };
  await db.insertInto('account').values(row).execute();
  return id;
}
/** A leg of a call of its own that was answered so many seconds ago. */
async function answered(accountId: string, secondsAgo: number, called = '12125550100', profileId?: string) {
  const leg = `${callOf(randomUUID()).slice(0, -4)}0001`;
  const { granted } = await db.transaction().execute((tx) => reserve(tx, { leg, accountId, profileId, called }));
  assert.ok(granted);
  await at(leg, secondsAgo);
  return leg;
}
/** As the journal tells it, and time as it goes by. */
const at = (leg: string, secondsAgo: number) =>
  db
    .updateTable('outbound_leg')
    .set({
      answered_on: sql<Date>`now() - ${secondsAgo}::float * interval '1 s'`,
      next_on: sql<Date>`now() - ${secondsAgo}::float * interval '1 s' + (hold_s - ${AHEAD_S}) * interval '1 s'`,
    })
    .where('leg', '=', leg)
    .execute();
const held = async (leg: string) => {
  const row = await db.selectFrom('outbound_leg').selectAll().where('leg', '=', leg).executeTakeFirstOrThrow();
  return [row.hold_s, Number(row.hold), row.refused];
};
const due = (leg: string) =>
  db
    .updateTable('outbound_leg')
    .set({ next_on: new Date(0) })
    .where('leg', '=', leg)
    .execute();

test('a leg is paid a minute ahead, as long as the balance bears it, and ended before it costs more', async () => {
  const leg = await answered(await account(2.5), 10);
  await extendLegs(db, end);
  assert.deepEqual(await held(leg), [60, 1, null], 'not yet');
  await at(leg, 31);
  await extendLegs(db, end);
  assert.deepEqual(await held(leg), [120, 2, null]);
  await at(leg, 91);
  await extendLegs(db, end);
  assert.deepEqual([await held(leg), ended], [[120, 2, 'balance'], []], 'its paid time is not over');
  await at(leg, 117.5);
  assert.equal(await extendLegs(db, end), 1);
  assert.deepEqual(ended.splice(0), [[callOf(leg), 'balance']]);
  assert.equal(await extendLegs(db, end), 0, 'asked again only seconds later');
});

test('of legs that run side by side no more is paid than there is, however many processes look', async () => {
  const id = await account(10);
  const legs = await Promise.all(Array.from({ length: 8 }, () => answered(id, 31)));
  await Promise.all([1, 2, 3].map(() => extendLegs(db, end)));
  const found = await Promise.all(legs.map(held));
  assert.equal(
    found.reduce((sum, [, hold]) => sum + Number(hold), 0),
    10,
  );
  assert.deepEqual(found.map(([seconds]) => seconds).sort(), [120, 120, 60, 60, 60, 60, 60, 60].sort());
  await db.updateTable('account').set({ balance: '100' }).where('id', '=', id).execute();
  for (const leg of legs) await due(leg);
  await extendLegs(db, end);
  assert.deepEqual(
    (await Promise.all(legs.map(held))).map(([, , refused]) => refused),
    Array(8).fill(null),
    'credited',
  );
});

test('smaller steps are paid where a minute is too much; a spend limit ends a call, too', async () => {
  const small = await answered(await account(1.25), 31, '442055550100');
  await extendLegs(db, end);
  assert.deepEqual(await held(small), [66, 1.1, null]);
  const id = await account(100);
  const profile = { id: randomUUID(), account_id: id, name: 'P', daily_spend_limit: '1.5', tn_lease_id: null };
  await db.insertInto('outbound_voice_profile').values(profile).execute();
  const limited = await answered(id, 59, '12125550100', profile.id);
  await extendLegs(db, end);
  assert.deepEqual(ended.splice(0), [[callOf(limited), 'spend-limit']]);
});

test('what ran on while nobody looked is paid first; an engine that is away is asked again, a call that is gone seldom', async () => {
  const id = await account(3);
  const leg = await answered(id, 130);
  await extendLegs(db, end);
  assert.deepEqual([await held(leg), ended.splice(0)], [[60, 1, 'balance'], [[callOf(leg), 'balance']]]);
  await due(leg);
  assert.equal(await extendLegs(db, () => Promise.reject(new Refusal('unavailable', 'away'))), 0);
  const next = async () => {
    const row = await db.selectFrom('outbound_leg').select('next_on').where('leg', '=', leg).executeTakeFirstOrThrow();
    return Math.round((row.next_on!.getTime() - Date.now()) / 1000);
  };
  assert.ok((await next()) <= 5);
  await due(leg);
  await extendLegs(db, () => Promise.reject(new Refusal('conflict', 'it has ended')));
  assert.ok((await next()) > 50);
});
