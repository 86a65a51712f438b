/** Limits hold whoever asks, and however many at once; from a real database, over several connections. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { seedFreeCalls } from '../demo/seed-money.ts';
import { priceOf, priceOfSpeech, rateOf } from './price.ts';
import { callOf, type Reservation, reserve } from './reserve.ts';

let home: string;
let database: TestDatabase;
let pools: Database[];
let db: Database;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-money-'));
  database = await testDatabase(home);
  pools = Array.from({ length: 3 }, () => openDatabase(database.url));
  db = pools[0]!;
  await db
    .insertInto('rate')
    .values([
      { direction: 'out', prefix: '1', price: '0.012' },
      { direction: 'out', prefix: '1900', price: '2', increment_s: 1 },
      { direction: 'out', prefix: '44', price: '0.1', increment_s: 6 },
    ])
    .execute();
});
after(async () => {
  await Promise.all(pools.map((pool) => pool.destroy()));
  await database.close();
  await rm(home, { recursive: true });
});

async function account(balance: number): Promise<string> {
  const id = randomUUID();
  const row = { id, name: 'A', calls_max: 100, dials_per_minute_max: 60, balance: String(balance) };
  await db.insertInto('account').values(row).execute();
  return id;
}
const newLeg = () => `${callOf(randomUUID()).slice(0, -4)}0001`;
const ask = (accountId: string, more: { leg?: string; called?: string; by?: Database; profileId?: string } = {}) =>
  (more.by ?? db).transaction().execute((tx) =>
    reserve(tx, {
      leg: more.leg ?? newLeg(),
      accountId,
      profileId: more.profileId,
      called: more.called ?? '12125550100',
    }),
  );
const said = (answer: Reservation) => (answer.granted ? 'granted' : answer.reason);
/** Asks so often, with more at once than there are connections: what waits longer for one on a busy machine proves nothing. */
async function asMany(count: number, one: (n: number) => Promise<Reservation>): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  let begun = 0;
  const askAll = async () => {
    while (begun < count) {
      const answer = said(await one(begun++));
      found[answer] = (found[answer] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 40 }, askAll));
  return found;
}

test('the longest prefix decides; each increment that was begun is paid', async () => {
  assert.deepEqual(await rateOf(db, 'out', '19005550100'), { price: 2, incrementS: 1 });
  assert.deepEqual(await rateOf(db, 'out', '12125550100'), { price: 0.012, incrementS: 60 });
  assert.equal(await rateOf(db, 'out', '33123456789'), undefined, 'not sold');
  assert.deepEqual(await rateOf(db, 'in', '33123456789'), { price: 0, incrementS: 60 }, 'no rates at all: free');
  const minute = { price: 0.012, incrementS: 60 };
  assert.deepEqual(
    [0, 1, 60_000, 60_001].map((ms) => priceOf(minute, ms)),
    [0, 0.012, 0.012, 0.024],
  );
  assert.equal(priceOf({ price: 0.1, incrementS: 6 }, 7_000), 0.02);
  assert.equal(priceOf({ price: 0.0001, incrementS: 1 }, 1_000), 0.0001, 'rounded upwards, never to nothing');
  assert.equal(priceOfSpeech({ price: 0.016, incrementS: 60 }, 1), 0.0001);
});

test('a leg is granted as long as the balance bears every first minute, and once however often it is asked', async () => {
  const id = await account(0.03);
  const leg = newLeg();
  assert.deepEqual(await asMany(5, () => ask(id, { leg })), { granted: 5 });
  assert.equal(said(await ask(id)), 'granted');
  assert.equal(said(await ask(id)), 'balance');
  assert.equal(said(await ask(id, { called: '33123456789' })), 'rate');
  assert.equal(said(await ask(randomUUID())), 'inactive');
});

test('a leg that is redirected is judged and priced for the number that it goes to now; once answered it goes nowhere else', async () => {
  const id = await account(3);
  const profile = {
    id: randomUUID(),
    account_id: id,
    name: 'cheap',
    max_rate: '1',
    channel_limit: 1,
    tn_lease_id: null,
  };
  await db.insertInto('outbound_voice_profile').values(profile).execute();
  const leg = newLeg();
  const to = (called: string) => ask(id, { leg, called, profileId: profile.id }).then(said);
  const row = () =>
    db.selectFrom('outbound_leg').select(['called', 'rate', 'hold']).where('leg', '=', leg).executeTakeFirstOrThrow();
  assert.equal(await to('12125550100'), 'granted');
  assert.deepEqual([await to('19005550100'), await to('33123456789')], ['rate', 'rate'], 'too dear, not sold');
  assert.equal((await row()).called, '12125550100');
  assert.equal(await to('44123456789'), 'granted', 'its own channel is not another’s');
  assert.deepEqual(await row(), { called: '44123456789', rate: '0.100000', hold: '0.1000' });
  await db
    .updateTable('outbound_voice_profile')
    .set({ max_rate: '0', daily_spend_limit: '1.99' })
    .where('id', '=', profile.id)
    .execute();
  assert.equal(await to('19005550100'), 'spend-limit');
  await db.updateTable('outbound_voice_profile').set({ daily_spend_limit: '2' }).where('id', '=', profile.id).execute();
  assert.equal(await to('19005550100'), 'granted');
  await db.updateTable('account').set({ balance: '0.05' }).where('id', '=', id).execute();
  assert.equal(await to('44123456789'), 'balance');
  assert.equal(await to('12125550100'), 'granted', 'back to what it can bear');
  await db.updateTable('outbound_leg').set({ answered_on: new Date() }).where('leg', '=', leg).execute();
  assert.deepEqual([await to('12125550100'), await to('12125550101')], ['granted', 'rate']);
});

test('a leg that goes on keeps back what it has come to', async () => {
  const id = await account(5);
  const leg = newLeg();
  await ask(id, { leg, called: '19005550100' });
  await db
    .updateTable('outbound_leg')
    .set({ answered_on: new Date(Date.now() - 149_500) })
    .where('leg', '=', leg)
    .execute();
  assert.equal(said(await ask(id)), 'balance', '150 seconds at two a minute are all there is');
});

test('of two hundred at once so many are granted as the money allows', { timeout: 30_000 }, async () => {
  const id = await account(0.12);
  assert.deepEqual(await asMany(200, (n) => ask(id, { by: pools[n % pools.length]! })), { granted: 10, balance: 190 });
});

/** A profile of the account with these limits. */
async function profile(account_id: string, limits: object): Promise<string> {
  const id = randomUUID();
  await db
    .insertInto('outbound_voice_profile')
    .values({ id, account_id, name: 'P', ...limits } as never)
    .execute();
  return id;
}

test('of two hundred at once with a limit of ten channels ten are granted; one that ends makes room for one', async () => {
  const id = await account(1000);
  const profileId = await profile(id, { channel_limit: 10 });
  const at = (n: number) => ask(id, { by: pools[n % pools.length]!, profileId });
  assert.deepEqual(await asMany(200, at), { granted: 10, 'channel-limit': 190 });
  const { leg } = await db
    .selectFrom('outbound_leg')
    .select('leg')
    .where('profile_id', '=', profileId)
    .limit(1)
    .executeTakeFirstOrThrow();
  await db.updateTable('outbound_leg').set({ ended_on: new Date() }).where('leg', '=', leg).execute();
  assert.deepEqual(await asMany(20, at), { granted: 1, 'channel-limit': 19 });
  assert.equal(said(await ask(id)), 'granted', 'another profile, or none, has channels of its own');
});

test('of two hundred at once as many are granted as the day’s money allows; what was charged today counts, yesterday’s not', async () => {
  const id = await account(1000);
  const profileId = await profile(id, { daily_spend_limit: 0.1 });
  const at = (n: number) => ask(id, { by: pools[n % pools.length]!, profileId });
  assert.deepEqual(await asMany(200, at), { granted: 8, 'spend-limit': 192 });
  const all = db.updateTable('outbound_leg').where('profile_id', '=', profileId);
  await all.set({ ended_on: new Date(), charged: '0' }).execute();
  assert.equal(said(await at(0)), 'granted', 'unanswered they cost nothing');
  await all.set({ ended_on: new Date(), charged: '0.0111' }).execute();
  assert.equal(said(await at(0)), 'spend-limit');
  await all.set({ ended_on: new Date(Date.now() - 86_400_000), charged: '5' }).execute();
  assert.equal(said(await at(0)), 'granted');
});

test('a profile limits the rate; inactive, of another account or gone it grants nothing', async () => {
  const [id, other] = [await account(1000), await account(1000)];
  const profileId = await profile(id, { max_rate: 0.05 });
  assert.equal(said(await ask(id, { profileId })), 'granted');
  assert.equal(said(await ask(id, { profileId, called: '442071234567' })), 'rate');
  assert.equal(said(await ask(other, { profileId })), 'inactive');
  assert.equal(said(await ask(id, { profileId: randomUUID() })), 'inactive');
  await db.updateTable('outbound_voice_profile').set({ is_active: false }).where('id', '=', profileId).execute();
  assert.equal(said(await ask(id, { profileId })), 'inactive');
});

test('a reservation of a call that never came to be is forgotten after a quarter of an hour', async () => {
  const id = await account(1000);
  const profileId = await profile(id, { channel_limit: 1 });
  const leg = newLeg();
  await ask(id, { profileId, leg });
  assert.equal(said(await ask(id, { profileId })), 'channel-limit');
  const old = { reserved_on: new Date(Date.now() - 16 * 60_000) };
  await db
    .updateTable('outbound_leg')
    .set({ ...old, answered_on: new Date() })
    .where('leg', '=', leg)
    .execute();
  assert.equal(said(await ask(id, { profileId })), 'channel-limit', 'an answered one goes on');
  await db.updateTable('outbound_leg').set({ answered_on: null }).where('leg', '=', leg).execute();
  assert.equal(said(await ask(id, { profileId })), 'granted');
});

test('calls that are ordered at once, each written before it asks, do not wait for each other in a ring', async () => {
  const id = await account(1000);
  const order = (n: number) =>
    pools[n % pools.length]!.transaction().execute(async (tx) => {
      const leg = newLeg();
      const row = { id: leg, account_id: id, idempotency_key: leg, request_hash: '' };
      await tx.insertInto('ordered_call').values(row).execute();
      return reserve(tx, { leg, accountId: id, profileId: undefined, called: '12125550100' });
    });
  assert.deepEqual(await asMany(40, order), { granted: 40 });
});

test('without any rate nothing goes out, unless the installation says that calls are free', async () => {
  const id = await account(1000);
  const rates = await db.deleteFrom('rate').returningAll().execute();
  assert.equal(said(await ask(id)), 'rate');
  await seedFreeCalls(db, true);
  assert.equal(said(await ask(id)), 'granted');
  await seedFreeCalls(db, false);
  assert.equal(said(await ask(id)), 'rate', 'at the next start it says so no more');
  await db.insertInto('rate').values(rates).execute();
  await seedFreeCalls(db, true);
  assert.equal(said(await ask(id, { called: '33123456789' })), 'rate', 'a rate was entered');
});
