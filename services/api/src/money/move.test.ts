/** Nothing that is ordered is paid by money that live calls have used. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { take } from './charge.ts';
import { type Movement, move } from './move.ts';
import { callOf, reserve } from './reserve.ts';

let home: string;
let database: TestDatabase;
let db: Database;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-move-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  await db.insertInto('rate').values({ direction: 'out', prefix: '1', price: '1' }).execute();
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

/** An account with ten, and a leg that was answered so long ago. */
async function calling(minutes: number) {
  const id = randomUUID();
  const row = { id, name: 'A', calls_max: 9, dials_per_minute_max: 60, balance: '10' };
  await db.insertInto('account').values(row).execute();
  const leg = `${callOf(randomUUID()).slice(0, -4)}0001`;
  const asked = { leg, accountId: id, profileId: undefined, called: '12125550100' };
  await db.transaction().execute((tx) => reserve(tx, asked));
  const answered_on = sql<Date>`now() - ${minutes * 60 - 5}::float * interval '1 s'`;
  await db.updateTable('outbound_leg').set({ answered_on }).where('leg', '=', leg).execute();
  return { id, leg };
}
const movement = (accountId: string, amount: number, more: Partial<Movement> = {}): Movement => ({
  ...{ accountId, amount, reason: 'tnlease_nrc', ref: randomUUID(), description: '' },
  ...more,
});
const balanceOf = async (id: string) =>
  Number((await db.selectFrom('account').select('balance').where('id', '=', id).executeTakeFirstOrThrow()).balance);

test('what an open leg has come to or keeps back buys nothing else', async () => {
  const { id, leg } = await calling(8);
  const buy = (amount: number) => db.transaction().execute((tx) => move(tx, movement(id, -amount)));
  await assert.rejects(buy(9.9), { code: 'unaffordable' });
  await assert.rejects(buy(2.0001), { code: 'unaffordable' });
  await buy(1.5);
  await assert.rejects(buy(0.6), { code: 'unaffordable' });
  await buy(0.5);
  assert.equal(await balanceOf(id), 8);
  await db.transaction().execute((tx) => move(tx, movement(id, 1)));
  await db.updateTable('outbound_leg').set({ ended_on: new Date() }).where('leg', '=', leg).execute();
  await buy(9);
  assert.equal(await balanceOf(id), 0);
});

test('what a stranger’s call costs is taken of what legs leave, and after what they have come to', async () => {
  const { id } = await calling(8);
  const capped = movement(id, -5, { reason: 'voice_incoming', caps: true });
  await db.transaction().execute((tx) => take(tx, [capped]));
  assert.equal(await balanceOf(id), 8);
  const over = await calling(0.5);
  await db.updateTable('outbound_leg').set({ ended_on: new Date() }).where('account_id', '=', over.id).execute();
  const charges = [
    movement(over.id, -7, { reason: 'tts', caps: true }),
    movement(over.id, -9, { reason: 'voice_outgoing' }),
  ];
  await db.transaction().execute((tx) => take(tx, charges));
  assert.equal(await balanceOf(over.id), 0);
});
