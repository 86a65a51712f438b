/** Whose an address is, however it is written, and who may be shown as the caller of a leg. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseAllowList } from '@opentact/runtime';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { seedFreeCalls } from '../demo/seed-money.ts';
import { isEmergencyNumber } from './caller-id.ts';
import { resolveEndpoints } from './endpoints.ts';
import { knownSourcesOf } from './known-sources.ts';
import { reach } from './reach.ts';
import { reserveLeg } from './reservations.ts';

const MINE = '12125550177';
const THEIRS = '12125550178';
const CALLER = '13055550199';
/** Of the documentation’s addresses none is public. */
const allowed = parseAllowList('203.0.113.0/24');
let home: string;
let database: TestDatabase;
let db: Database;
const [operator, customer, other] = [randomUUID(), randomUUID(), randomUUID()];

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-reach-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  await seedFreeCalls(db, true);
  for (const [id, level] of [
    [operator, 'ServiceAccount'],
    [customer, 'Level0'],
    [other, 'Level0'],
  ] as const)
    await db
      .insertInto('account')
      .values({ id, name: level, level, balance: '10', calls_max: 9, dials_per_minute_max: 9 })
      .execute();
  const carrier = { transport: 'udp', user: 'u', password: 'p' };
  await db
    .insertInto('trunk')
    .values([
      {
        id: 'carrier',
        account_id: null,
        host: 'SIP.carrier.example',
        port: 5060,
        ...carrier,
        addresses: ['198.51.100.0/24'],
      },
      { id: 'local', account_id: null, host: '127.0.0.1', port: 5070, ...carrier },
      { id: 'theirs', account_id: other, host: '[2001:DB8::9]', port: 5060, ...carrier },
    ] as never)
    .execute();
  for (const [account_id, tn] of [
    [customer, MINE],
    [other, THEIRS],
  ] as const) {
    await db
      .insertInto('inventory')
      .values({ tn, country: 'US', features: ['voice'] } as never)
      .execute();
    const lease = { id: randomUUID(), tn, account_id, features: ['voice'], autorenew: true, expires_on: new Date() };
    await db
      .insertInto('lease')
      .values(lease as never)
      .execute();
  }
  const pbx = { id: randomUUID(), account_id: other, name: 'PBX', ip: null, hostname: 'pbx.example', port: 5060 };
  await db
    .insertInto('sip_connection')
    .values(pbx as never)
    .execute();
  await resolveEndpoints(db, 'trunk', { resolve: async () => ['192.0.2.1', '::ffff:192.0.2.2'], allowed });
  await resolveEndpoints(db, 'connection', { resolve: async () => ['203.0.113.7'], allowed });
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

const connect = (connection: object) =>
  db
    .insertInto('sip_connection')
    .values({ id: randomUUID(), ...connection } as never)
    .execute();

const asked = (accountId: string, address: string, caller = 'bob', originalCaller?: string) =>
  reach(db, { accountId, address, caller, originalCaller });

test('an address of a trunk is refused, at any port and in any clothes, to whom the trunk doesn’t serve', async () => {
  for (const address of [
    ...['192.0.2.1:5060', '192.0.2.1:5099', '192.0.2.2:5060', '[::ffff:192.0.2.1]:5060', '[64:ff9b::c000:201]:5060'],
    ...['198.51.100.200:5061', '[2001:db8:0:0::9]:1', '127.0.0.1:5070'],
  ])
    assert.equal((await asked(customer, address)).refusal, 'refused-address', address);
  for (const address of ['192.0.2.3:5060', '198.51.101.1:5060', '127.0.0.1:5071', ''])
    assert.deepEqual(await asked(customer, address), { refusal: '', trunk: '', shown: 'bob' }, address);
  // An own connection there doesn't open somebody's trunk.
  const own = { account_id: customer, name: 'mine', hostname: null, port: 5060 };
  await connect({ ...own, ip: '192.0.2.1' });
  assert.equal((await asked(customer, '192.0.2.1:5060')).refusal, 'refused-address');
  assert.deepEqual(await asked(operator, '192.0.2.2:5099'), { refusal: '', trunk: 'carrier', shown: '' });
  assert.equal((await asked(other, '[2001:db8::9]:5060')).trunk, 'theirs');
  await db.insertInto('trunk_account').values({ trunk_id: 'carrier', account_id: customer }).execute();
  assert.equal((await asked(customer, '192.0.2.1:5060')).trunk, 'carrier');
});

test('a connection closes an address to nobody; what an operator knows to be an account’s is closed to all others', async () => {
  const at = (account: string) => asked(account, '203.0.113.7:9').then(({ refusal }) => refusal);
  assert.equal(await at(customer), '', 'anybody may claim any address');
  await db.insertInto('account_address').values({ account_id: other, range: '203.0.113.0/28' }).execute();
  assert.equal(await at(customer), 'refused-address');
  assert.equal(await at(other), '', 'their own equipment');
  await connect({ account_id: customer, name: 'a claim', ip: '203.0.113.7', hostname: null, port: 5060 });
  assert.equal(await at(customer), 'refused-address', 'a claim opens nothing');
  await db.deleteFrom('account_address').execute();
});

test('while the host of a trunk was never resolved no leg goes where it may be; its last addresses are never forgotten', async () => {
  const host = 'late.carrier.example';
  const late = { id: 'late', account_id: null, host, port: 5099, transport: 'udp', user: 'u', password: 'p' };
  await db
    .insertInto('trunk')
    .values(late as never)
    .execute();
  const anywhere = () => asked(other, '192.0.2.99:5060').then(({ refusal }) => refusal);
  assert.equal(await anywhere(), 'trunk-unresolved');
  assert.equal((await asked(other, '127.0.0.1:5071')).refusal, '', 'another port of this machine is another party');
  assert.equal((await asked(other, '')).refusal, '');
  const carriers = ['192.0.2.1', '192.0.2.2'];
  const round = (found: string[]) =>
    resolveEndpoints(db, 'trunk', { resolve: async (of) => (of === host ? found : carriers), allowed });
  const addresses = async () =>
    (
      await db.selectFrom('endpoint_address').select('address').where('host', '=', host).orderBy('address').execute()
    ).map(({ address }) => address);
  const age = async (days: number) => {
    await sql`update endpoint_host set resolved_on = resolved_on - ${days}::int * interval '1 day'`.execute(db);
    await sql`update endpoint_address set seen_on = seen_on - ${days}::int * interval '1 day'`.execute(db);
  };
  await round([]);
  assert.equal(await anywhere(), 'trunk-unresolved');
  await age(1);
  await round(['198.18.0.1']);
  assert.equal(await anywhere(), '');
  await age(9);
  await round([]);
  await resolveEndpoints(db, 'connection', { resolve: async () => [], allowed });
  assert.deepEqual(await addresses(), ['198.18.0.1'], 'it can’t be resolved now');
  assert.equal((await asked(other, '198.18.0.1:5060')).refusal, 'refused-address');
  await age(9);
  await round(Array.from({ length: 40 }, (_, i) => `198.18.1.${i}`));
  await round([]);
  assert.equal((await addresses()).length, 32, 'so many at once; those of days ago are others’ by now');
  await db.deleteFrom('trunk').where('id', '=', 'late').execute();
});

test('of customers’ hosts so many are resolved, to so many addresses, and only to such as may be called', async () => {
  const hosts = Array.from({ length: 60 }, (_, i) => `pbx${String(i).padStart(2, '0')}.example`);
  for (const hostname of hosts) await connect({ account_id: customer, name: 'many', ip: null, hostname, port: 5060 });
  await connect({ account_id: customer, name: 'a trunk’s', ip: null, hostname: 'sip.carrier.example', port: 5060 });
  const asked: string[] = [];
  let rounds = 0;
  const round = async () => {
    await sql`update endpoint_host set resolved_on = resolved_on - interval '2 minutes'`.execute(db);
    rounds++;
    await resolveEndpoints(db, 'connection', {
      allowed,
      resolve: async (host) => {
        asked.push(host);
        return ['10.0.0.5', '127.0.0.1', ...Array.from({ length: 20 }, (_, i) => `203.0.113.${rounds * 20 + i}`)];
      },
    });
  };
  await round();
  assert.equal(asked.filter((host) => hosts.includes(host)).length, 50);
  assert.ok(!asked.includes('sip.carrier.example'), 'that name is a trunk’s');
  for (let time = 0; time < 4; time++) await round();
  const { rows } = await sql<{ host: string; address: string }>`
    select host, address from endpoint_address where host like 'pbx__.example'`.execute(db);
  assert.equal(rows.length, 50 * 16);
  assert.ok(rows.every(({ address }) => address.startsWith('203.0.113.')));
  await db.deleteFrom('sip_connection').where('account_id', '=', customer).execute();
});

test('by an address names and extensions are shown as they are, numbers only where they are one’s own or who called', async () => {
  for (const [caller, original, expected] of [
    ['1000', undefined, '1000'],
    ['alice', undefined, 'alice'],
    [`+${MINE}`, undefined, `+${MINE}`],
    [CALLER, CALLER, CALLER],
    [`+${CALLER}`, CALLER, `+${CALLER}`],
    [CALLER, undefined, 'caller-id'],
    [THEIRS, CALLER, 'caller-id'],
    ['911', CALLER, 'caller-id'],
    ['+1 911', '15', 'caller-id'],
    ['112', '112', ''],
  ] as const)
    for (const address of ['192.0.2.77:5060', '']) {
      const { refusal, shown } = await asked(customer, address, caller, original);
      assert.equal(refusal || shown, expected, `${caller} ${original}`);
    }
});

test('by a trunk the account’s numbers alone are shown, and who called where the trunk passes that on', async () => {
  const out = async (caller: string | undefined, originalCaller?: string) => {
    const leg = `${randomUUID().slice(0, -4)}0001`;
    const found = await reserveLeg(db, {
      leg,
      accountId: customer,
      appId: '',
      called: '15550000000',
      caller,
      originalCaller,
    });
    return found.refusal || found.shown;
  };
  const legs = () => db.selectFrom('outbound_leg').select('leg').execute();
  for (const foreign of ['911', '+911', '9-1-1', '1911', '112', THEIRS, CALLER, '1000', '000'])
    assert.equal(await out(foreign), 'caller-id', foreign);
  assert.deepEqual(await legs(), [], 'nothing is kept back for what isn’t dialled');
  assert.deepEqual([await out(MINE), await out(`+${MINE}`)], [MINE, `+${MINE}`]);
  assert.deepEqual([await out(CALLER, CALLER), await out('911', '911'), await out('alice')], [MINE, MINE, MINE]);
  await db.updateTable('trunk').set({ passes_original_caller: true }).where('id', '=', 'carrier').execute();
  assert.deepEqual([await out(CALLER, CALLER), await out('911', '911')], [CALLER, MINE]);
  assert.equal(await out(CALLER, '13055550198'), 'caller-id');
  await db.updateTable('lease').set({ released_on: new Date() }).where('account_id', '=', customer).execute();
  assert.equal(await out('alice'), 'caller-id', 'there is no number to show');
});

test('emergency numbers are known as they may be written', () => {
  for (const text of ['911', '+911', '1911', '9-1-1', '112', '+112', '999', '000', '(911)', '911;x=y'])
    assert.ok(isEmergencyNumber(text), text);
  for (const text of ['9110', '12125550911', '1000', 'bob', '']) assert.ok(!isEmergencyNumber(text), text);
});

test('a trunk that serves an account and its own connections are told with their media; other accounts’ are not', async () => {
  await db
    .updateTable('trunk')
    .set({ media_ranges: ['198.51.100.128/25'], media_from_anywhere: true } as never)
    .where('id', '=', 'carrier')
    .execute();
  const carrier = { ranges: ['198.51.100.128/25'], fromAnywhere: true };
  const none = { ranges: [], fromAnywhere: false };
  const of = async (account: string) =>
    Object.fromEntries((await knownSourcesOf(db, account)).map(({ from, media }) => [from, media]));
  const installation = {
    ...{ '192.0.2.1': carrier, '192.0.2.2': carrier, '198.51.100.0/24': carrier, '127.0.0.1:5070': none },
  };
  assert.deepEqual(await of(operator), installation);
  const theirs = await of(other);
  await sql`insert into endpoint_address values ('pbx.example', '203.0.113.66', now()), ('pbx.example', '203.0.113.7', now())`.execute(
    db,
  );
  const claimed = (await of(other))['203.0.113.7'];
  assert.deepEqual(claimed?.ranges, ['203.0.113.7'], 'what the name also resolves to may be a victim');
  assert.deepEqual(theirs['2001:db8::9'], none);
  assert.equal((await of(customer))['2001:db8::9'], undefined);
});
