/** What calls cost is read from the journal: each leg and each call once, by however many processes, however often. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryServer, memoryLog } from '@opentact/event-log';
import { queriesOf } from '@opentact/event-log/testing';
import { type CallEvent, encodeEvent, type Fact, legUuid, versionOf } from '@opentact/proto';
import { createLogger, partitionOf } from '@opentact/runtime';
import { type Database, openDatabase } from '../database/database.ts';
import { type TestDatabase, testDatabase } from '../database/testing/test-database.ts';
import { followJournal } from '../logs/follow.ts';
import { forgetCallLog } from '../logs/forget.ts';
import { CHARGES, READERS, type Reader } from '../logs/readers.ts';
import { charge } from './charge.ts';
import { listQuarantined } from './quarantine.ts';
import { reserve } from './reserve.ts';
import { settle } from './settle.ts';

const JOURNAL = 'calls.journal';
const TN = '12125550177';
const START = Date.now() - 600_000;
const logger = createLogger({ service: 't', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const journal = createMemoryServer();
let home: string;
let database: TestDatabase;
let db: Database;
let account: string;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-charge-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  account = randomUUID();
  const limits = { calls_max: 100, dials_per_minute_max: 60 };
  await db
    .insertInto('account')
    .values({ id: account, name: 'A', balance: '0.05', ...limits })
    .execute();
  await db
    .insertInto('inventory')
    .values({ tn: TN, country: 'US', features: ['voice'] } as never)
    .execute();
  const carrier = { port: 5060, transport: 'udp', user: '', password: '', account_id: null };
  await db
    .insertInto('trunk')
    .values({ id: 'carrier', host: '192.0.2.1', ...carrier })
    .execute();
  const lease = { id: randomUUID(), tn: TN, account_id: account, features: ['voice'], autorenew: true };
  await db
    .insertInto('lease')
    .values({ ...lease, created_on: new Date(START - 1000), expires_on: new Date(Date.now() + 1e9) } as never)
    .execute();
  await db
    .insertInto('rate')
    .values([
      { direction: 'in', prefix: '1', price: '0.01', increment_s: 6 },
      { direction: 'out', prefix: '1', price: '0.02' },
      { direction: 'tts', prefix: '', price: '0.5' },
    ])
    .execute();
});
after(async () => {
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

/** A call's events into the journal: `at` in seconds from its beginning. */
async function tell(
  callId: string,
  events: Array<[at: number, fact: Partial<Fact> & { type: Fact['type'] }]>,
  spoiled?: number,
): Promise<void> {
  const log = memoryLog(journal);
  const records = events.map(([at, fact], i) => {
    const event = { ...fact, callId, seq: i + 1, at: START + at * 1000 } as CallEvent;
    const headers = { type: event.type, seq: String(event.seq), schema: String(versionOf(event.type)) };
    return { key: callId, headers, bytes: i === spoiled ? Uint8Array.of(255, 255, 255) : encodeEvent(event) };
  });
  const writer = await log.take(JOURNAL, partitionOf(callId, log.partitions));
  await writer.append({ records });
  await writer.release();
  await log.close();
}
let calls = 0;
const newCall = () => `00000000-0000-8000-8000-00010${String(calls++).padStart(3, '0')}0000`;
const arrived = (toNumber = TN, sourceAddress = '192.0.2.1:5099'): Fact => ({
  ...{ type: 'CallArrived', accountId: account, fromNumber: '1', toNumber, app: undefined, invite: Buffer.alloc(0) },
  ...{ transport: 'udp', sourceAddress, localTag: '', sdp: '', topBranch: '', requestUri: '', sipCallId: '' },
  refusal: undefined,
});
const over = (durationMs: number) =>
  ({ type: 'CallEnded', owner: 'caller', reason: 'bye', q850: 16, durationMs }) as never;
const said = (text: string) =>
  ({
    type: 'PlayRequested',
    leg: 0,
    loop: 1,
    items: [{ kind: 'say', value: { text, voice: '', gender: '', lang: '' } }],
  }) as never;
const granted = (leg: string, called = '13055550100') =>
  db.transaction().execute((tx) => reserve(tx, { leg, accountId: account, profileId: undefined, called }));

/** Follows until every cursor stands still. */
async function followed(processes = 1, readers: readonly Reader[] = [CHARGES]): Promise<void> {
  const end = new AbortController();
  const logs = Array.from({ length: processes }, () => memoryLog(journal));
  const following = logs.map((log) => followJournal(db, log, end.signal, logger, readers));
  let last = '';
  for (let calm = 0; calm < 6; ) {
    await sleep(100);
    const now = JSON.stringify([
      await db.selectFrom('charge_cursor').selectAll().orderBy('partition').execute(),
      await db.selectFrom('transaction').select('id').orderBy('id').execute(),
    ]);
    calm = now === last ? calm + 1 : 0;
    last = now;
  }
  end.abort();
  await Promise.all(following);
  await Promise.all(logs.map((log) => log.close()));
}
const billed = async (ref: string) =>
  (
    await db
      .selectFrom('transaction')
      .select(['ref_type', 'amount'])
      .where('ref_id', '=', ref)
      .orderBy('ref_type')
      .execute()
  ).map(({ ref_type, amount }) => [ref_type, Number(amount)]);

test('minutes in, minutes out and speech are charged when they are over, once, whoever reads how often', async () => {
  const call = newCall();
  const leg = legUuid(call, 1);
  assert.equal((await granted(leg)).granted, true);
  await tell(call, [
    [0, arrived()],
    [0, said('Hello there')],
    [1, { type: 'LegAnswered', requestId: 1, leg: 0, sdp: '' } as never],
    [5, { type: 'LegAnswered', requestId: 2, leg: 1, sdp: '' } as never],
  ]);
  await followed();
  assert.deepEqual([await billed(call), await billed(leg)], [[], []], 'nothing before it is over');
  const end = newCall();
  await tell(call, [
    [70, { type: 'LegEnded', leg: 1, by: 'peer', status: 0, q850: 16, reason: 'bye' } as never],
    [73, over(72_500)],
  ]);
  await tell(end, [
    [0, arrived()],
    [1, over(0)],
  ]);
  await followed(3);
  const expected = [
    ['tts', 0],
    ['voice_incoming', -0.01],
  ];
  assert.deepEqual(await billed(call), expected);
  assert.deepEqual(await billed(leg), [['voice_outgoing', -0.04]], '65 seconds are two minutes');
  assert.deepEqual(await billed(end), [], 'not answered');
  const { balance } = await db
    .selectFrom('account')
    .select('balance')
    .where('id', '=', account)
    .executeTakeFirstOrThrow();
  assert.equal(Number(balance), 0, 'a call that came in takes what there is, and nothing below');
  assert.deepEqual(await granted(legUuid(newCall(), 1)), { granted: false, reason: 'balance' });

  await forgetCallLog(db);
  await db.updateTable('charge_cursor').set({ position: '0' }).execute();
  await followed(2);
  assert.deepEqual(
    [await billed(call), (await billed(leg)).length],
    [expected, 1],
    'the journal again from its beginning',
  );
  assert.equal((await db.selectFrom('billed_call').selectAll().execute()).length, 0);
});

test('the legs of a call that ends without a word about them end with it; one never answered costs nothing', async () => {
  await db.updateTable('account').set({ balance: '10' }).where('id', '=', account).execute();
  const call = newCall();
  const [talked, rang] = [legUuid(call, 1), legUuid(call, 2)];
  await granted(talked);
  await granted(rang);
  await tell(call, [
    [0, arrived('15550000000')],
    [2, { type: 'LegAnswered', requestId: 2, leg: 1, sdp: '' } as never],
    [4, { type: 'DialFailed', requestId: 3, leg: 2, status: 486, q850: 17, reason: 'busy' } as never],
    [32, over(30_000)],
  ]);
  await followed();
  assert.deepEqual([await billed(talked), await billed(rang)], [[['voice_outgoing', -0.02]], []]);
  assert.deepEqual(await billed(call), [], 'the number it called is nobody’s lease');
  const open = await db
    .selectFrom('outbound_leg')
    .select('leg')
    .where('call_id', '=', call)
    .where('ended_on', 'is', null)
    .execute();
  assert.deepEqual(open, []);
});

test('a stranger’s call costs nothing, neither minutes nor what is said to it; that of the account’s own equipment both', async () => {
  await db.updateTable('account').set({ balance: '0.004' }).where('id', '=', account).execute();
  const [call, ours] = [newCall(), newCall()];
  const pbx = { account_id: account, name: 'PBX', ip: '203.0.113.9', hostname: null, port: 5060 };
  await db
    .insertInto('sip_connection')
    .values({ id: randomUUID(), ...pbx } as never)
    .execute();
  await tell(call, [
    [0, arrived(TN, '198.51.100.1:5060')],
    [1, said('Hello there')],
    [60, over(60_000)],
  ]);
  await tell(ours, [
    [0, arrived(TN, '203.0.113.9:40000')],
    [1, said('Hello there')],
    [60, over(60_000)],
  ]);
  await followed();
  assert.deepEqual(
    [await billed(call), await billed(ours)].map((found) => found.map(([type]) => type)),
    [[], ['tts', 'voice_incoming']],
  );
  const { balance } = await db
    .selectFrom('account')
    .select('balance')
    .where('id', '=', account)
    .executeTakeFirstOrThrow();
  assert.equal(Number(balance), 0, 'as much of it as there was');
  await db.updateTable('account').set({ balance: '10' }).where('id', '=', account).execute();
});

test('a machine of the account’s own domain pays what is said to it, and no minutes', async () => {
  const [domain, call] = [randomUUID(), newCall()];
  await db
    .insertInto('sip_domain')
    .values({ id: domain, account_id: account, domain: 'own.example' } as never)
    .execute();
  await db
    .insertInto('sip_switch')
    .values({ id: randomUUID(), domain_id: domain, name: 'S', remote_ip: '203.0.113.10' } as never)
    .execute();
  await tell(call, [
    [0, arrived(TN, '203.0.113.10:5060')],
    [1, said('Hello there')],
    [60, over(60_000)],
  ]);
  await followed();
  assert.deepEqual(await billed(call), [['tts', -0.0055]]);
});

test('a call that was ordered is charged by its own leg, and not as one that came in', async () => {
  const call = newCall();
  await granted(call);
  const ordered = { fromNumber: TN, toNumber: '13055550100', target: 'tel:13055550100', app: undefined };
  await tell(call, [
    [0, { type: 'CallOrdered', accountId: account, ...ordered, idempotencyKey: '', ringTimeoutMs: 0 } as never],
    [3, { type: 'LegAnswered', requestId: 2, leg: 0, sdp: '' } as never],
    [4, said('Hello')],
    [130, over(127_000)],
  ]);
  await followed();
  assert.deepEqual(await billed(call), [
    ['tts', -0.0025],
    ['voice_outgoing', -0.06],
  ]);
});

test('minutes in are paid by who had the number when the call came, not by who has it when it ends', async () => {
  const [before, after] = [newCall(), newCall()];
  const lease = db.updateTable('lease').where('tn', '=', TN);
  await tell(before, [[0, arrived()]]);
  await followed();
  await lease.set({ account_id: await another(), modified_on: new Date() }).execute();
  await tell(before, [[60, over(60_000)]]);
  await tell(after, [
    [0, arrived()],
    [60, over(60_000)],
  ]);
  await followed();
  assert.deepEqual([await billed(before), await billed(after)], [[['voice_incoming', -0.01]], []]);
  await lease.set({ account_id: account, released_on: new Date(START - 500) }).execute();
  const late = newCall();
  await tell(late, [
    [0, arrived()],
    [60, over(60_000)],
  ]);
  await followed();
  assert.deepEqual(await billed(late), [], 'given back before it came');
});

test('a call with a record that can’t be read is charged when it is settled, whatever the record was; the others at once', async () => {
  await db.updateTable('lease').set({ released_on: null }).where('tn', '=', TN).execute();
  await db.updateTable('account').set({ balance: '10' }).where('id', '=', account).execute();
  const facts = (): Parameters<typeof tell>[1] => [
    [0, arrived()],
    [1, { type: 'LegAnswered', requestId: 2, leg: 1, sdp: '' } as never],
    [2, { type: 'VerbStarted', document: 0, path: 'Say[0]', name: 'Say', tag: '' } as never],
    [3, said('Hello')],
    [61, { type: 'LegEnded', leg: 1, by: 'peer', status: 0, q850: 16, reason: 'bye' } as never],
    [63, over(60_000)],
  ];
  const spoiled = [0, 1, 2, 3, 4, 5].map((which) => ({ which, call: newCall() }));
  const whole = newCall();
  for (const call of [whole, ...spoiled.map(({ call }) => call)]) await granted(legUuid(call, 1));
  for (const { which, call } of spoiled) await tell(call, facts(), which);
  await tell(whole, facts());
  await followed(2);
  const costs = async (call: string) =>
    [...(await billed(call)), ...(await billed(legUuid(call, 1)))].map(([type, amount]) => `${type} ${amount}`);
  const all = ['tts -0.0025', 'voice_incoming -0.01', 'voice_outgoing -0.02'];
  assert.deepEqual(await costs(whole), all);
  const open = () => db.selectFrom('outbound_leg').select('leg').where('ended_on', 'is', null).execute();
  assert.deepEqual(await open(), [], 'nothing is kept back for what is over');
  const calls = spoiled.map(({ call }) => call);
  for (const call of calls) assert.deepEqual(await costs(call), []);
  assert.deepEqual((await listQuarantined(db)).map(({ call_id }) => call_id).sort(), calls.sort());
  const settled = await Promise.all(
    spoiled.map(async ({ call }) => {
      await settle(db, call);
      await assert.rejects(settle(db, call), /isn’t quarantined/);
      return costs(call);
    }),
  );
  assert.deepEqual(settled, [
    ['voice_outgoing -0.02'],
    ['tts -0.0025', 'voice_incoming -0.01'],
    all,
    ['voice_incoming -0.01', 'voice_outgoing -0.02'],
    ['tts -0.0025', 'voice_incoming -0.01', 'voice_outgoing -0.04'],
    ['tts -0.0025', 'voice_outgoing -0.02'],
  ]);
  assert.deepEqual(await listQuarantined(db), []);
  await db.updateTable('charge_cursor').set({ position: '0' }).execute();
  await followed();
  assert.deepEqual(await Promise.all(calls.map(costs)), settled, 'the journal again from its beginning');
  assert.deepEqual(await listQuarantined(db), []);
});

async function another(): Promise<string> {
  const row = { id: randomUUID(), name: 'B', balance: '1', calls_max: 100, dials_per_minute_max: 60 };
  await db.insertInto('account').values(row).execute();
  return row.id;
}

test('a batch asks as much for twenty calls as for one, and ends what it answered', async () => {
  await db.updateTable('account').set({ balance: '10' }).where('id', '=', account).execute();
  const lived = async (count: number) => {
    const ids = Array.from({ length: count }, newCall);
    for (const call of ids) await granted(legUuid(call, 1));
    const facts = [
      [0, arrived('15550000000', '198.51.100.1:5060')],
      [0, said('Hello')],
      [0, said('there')],
      [2, { type: 'LegAnswered', requestId: 2, leg: 1, sdp: '' }],
      [32, { type: 'LegEnded', leg: 1, by: 'peer', status: 0, q850: 16, reason: 'bye' }],
      [33, { type: 'LegAnswered', requestId: 2, leg: 1, sdp: '' }],
      [90, over(90_000)],
    ] as Array<[number, Fact]>;
    const events = ids.flatMap((callId) =>
      facts.map(([at, fact], i) => ({ ...fact, callId, seq: i + 1, at: START + at * 1000 }) as CallEvent),
    );
    const { asked } = await queriesOf(() => db.transaction().execute((tx) => charge(tx, events)));
    for (const call of ids) assert.deepEqual(await billed(legUuid(call, 1)), [['voice_outgoing', -0.02]]);
    return asked.length;
  };
  const one = await lived(1);
  assert.equal(await lived(20), one);
  assert.ok(one >= 10 && one <= 20, `${one} statements`);
});

test('a leg whose end was read costs what it cost, also where the end of its call can’t be read and both are written at once', async () => {
  await db.updateTable('account').set({ balance: '10' }).where('id', '=', account).execute();
  const call = newCall();
  const leg = legUuid(call, 1);
  await granted(leg);
  // Both readers stand at the end before.
  await followed(1, READERS);
  await tell(
    call,
    [
      [0, arrived('15550000000', '198.51.100.1:5060')],
      [2, { type: 'LegAnswered', requestId: 2, leg: 1, sdp: '' } as never],
      [67, { type: 'LegEnded', leg: 1, by: 'peer', status: 0, q850: 16, reason: 'bye' } as never],
      [68, over(66_000)],
    ],
    3,
  );
  await followed(1, READERS);
  await settle(db, call);
  assert.deepEqual(await billed(leg), [['voice_outgoing', -0.04]]);
});
