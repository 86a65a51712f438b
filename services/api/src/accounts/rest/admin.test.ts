/** What the installation's own Admins may, and nobody else: credit, numbers, jobs, numbering data; and what money sums up to. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runJob } from '../../jobs/jobs.ts';
import type { Person } from '../../testing/scene.ts';
import { openStand, type Stand } from '../../testing/stand.ts';

let stand: Stand;
let operator: Person;
before(async () => {
  stand = await openStand();
  operator = await stand.signedUp();
  await stand.promote(operator);
});
after(() => stand.close());

const credit = (uuid: string, amount: number, key: string, as = operator.jwt) =>
  stand.ask('POST', `/admin/account/${uuid}/credit`, {
    as,
    body: { amount, description: 'by bank' },
    headers: { 'idempotency-key': key },
  });
const balance = async (person: Person) => (await stand.ask('GET', '/account', { as: person.jwt })).payload.balance;
const CSV = 'NPA,NXX,State,County\n201,200,nj,Hudson\nx,1,2,3\n201,201,NJ,Bergen\n';

test('an Admin of another account may nothing that concerns all', async () => {
  const { jwt, accountId } = await stand.signedUp();
  for (const [method, path, body] of [
    ['GET', '/admin/schedule/expired_tokens'],
    ['GET', '/admin/system/dict_gtts_reload'],
    ['POST', '/admin/tnlease/create', { tns: [12135550100] }],
  ] as const)
    assert.equal((await stand.ask(method, path, { as: jwt, body })).status, 403, path);
  assert.equal((await credit(accountId, 1, 'k', jwt)).status, 403);
  assert.equal((await stand.upload('/dict/lerg', jwt, CSV)).status, 403);
});

test('a credit is given once under one key, and is money to spend', async () => {
  const person = await stand.signedUp();
  const [tn] = await stand.stock('201', 1);
  const order = () => stand.ask('POST', '/order', { as: person.jwt, body: { items: [{ tn }] } });
  assert.equal((await order()).status, 402);
  const answers = await Promise.all(Array.from({ length: 5 }, () => credit(person.accountId, 12.5, 'one')));
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array(5).fill(201),
  );
  assert.equal(new Set(answers.map(({ payload }) => payload.uuid)).size, 1);
  assert.equal((await credit(person.accountId, 13, 'one')).status, 409);
  assert.equal(await balance(person), 12.5);
  assert.equal((await order()).status, 201);
  assert.equal(await balance(person), 10.5);
  for (const amount of [0, -1, 0.00001, 1e9]) assert.equal((await credit(person.accountId, amount, 'two')).status, 400);
  assert.equal((await credit(person.uuid, 1, 'three')).status, 404);
  assert.equal(
    (await stand.ask('POST', `/admin/account/${person.accountId}/credit`, { as: operator.jwt, body: { amount: 1 } }))
      .status,
    400,
  );
});

test('transactions are found by each of their fields, one by one, and summed by kind and by day', async () => {
  const [person, other] = [await stand.signedUp(), await stand.signedUp()];
  await stand.db
    .updateTable('account')
    .set({ time_zone: 'America/New_York' })
    .where('id', '=', person.accountId)
    .execute();
  await credit(person.accountId, 20, 'a');
  await credit(person.accountId, 5, 'b');
  const [tn] = await stand.stock('202', 1);
  await stand.ask('POST', '/order', { as: person.jwt, body: { items: [{ tn }] } });
  const search = async (body: object) =>
    (await stand.ask('POST', '/transaction/search?take=50', { as: person.jwt, body })).payload.data.map(
      (t: { amount: number }) => t.amount,
    );
  assert.deepEqual(await search({ order: { amount: 'ASC' } }), [-1.5, -0.5, 5, 20]);
  assert.deepEqual(await search({ ref_type: 'tnlease_mrc' }), [-1.5]);
  assert.deepEqual(await search({ amount: 5 }), [5]);
  assert.deepEqual(await search({ account_balance_before: 20 }), [5]);
  assert.deepEqual(await search({ account_balance_after: 24.5 }), [-0.5]);
  assert.deepEqual(await search({ description: '*first month' }), [-1.5]);
  assert.deepEqual(await search({ description: '1\\' }), []);
  assert.deepEqual(
    await search({ mode: 'OR', ref_type: 'tnlease_nrc', amount: 20, order: { amount: 'ASC' } }),
    [-0.5, 20],
  );
  const { payload } = await stand.ask('POST', '/transaction/search', { as: person.jwt, body: { amount: 20 } });
  const path = `/transaction/${payload.data[0].uuid}`;
  assert.deepEqual((await stand.ask('GET', path, { as: person.jwt })).payload, payload.data[0]);
  assert.equal((await stand.ask('GET', path, { as: other.jwt })).status, 404);

  // Half past one in the night of the fifth, by New York's clock still the fourth.
  const at = new Date('2026-06-05T05:30:00Z');
  const late = new Date('2026-06-05T03:30:00Z');
  const mine = stand.db.updateTable('transaction').where('account_id', '=', person.accountId);
  await mine.set({ created_on: at }).execute();
  await mine.set({ created_on: late }).where('amount', '=', '5').execute();
  const report = async (of: string) =>
    (await stand.ask('GET', `/transaction/report/${of}`, { as: person.jwt })).payload;
  assert.deepEqual((await report('dashboard/payment?from=2026-06-01&to=2026-06-30')).report, [
    { date: '2026-06-04', count: 1, sum: 5 },
    { date: '2026-06-05', count: 1, sum: 20 },
  ]);
  assert.deepEqual((await report('invoice?from=2026-06-05&to=2026-06-06')).report, [
    { ref_type: 'payment', amount: 20 },
    { ref_type: 'tnlease_mrc', amount: -1.5 },
    { ref_type: 'tnlease_nrc', amount: -0.5 },
  ]);
  const month = await report('invoice');
  assert.match(month.from, /^\d{4}-\d\d-01T0[45]:00:00\.000Z$/, 'a month of New York');
  assert.match(month.to, /^\d{4}-\d\d-01T0[45]:00:00\.000Z$/);
  assert.deepEqual(month.report, []);
  const days = await report('dashboard/tts');
  assert.equal(Math.round((Date.parse(days.to) - Date.parse(days.from)) / 86_400_000), 30);
  for (const wrong of [
    'invoice?from=2026-06-06&to=2026-06-05',
    'invoice?from=2020-01-01',
    'invoice?from=x',
    'dashboard/nothing',
  ])
    assert.equal((await stand.ask('GET', `/transaction/report/${wrong}`, { as: person.jwt })).status, 400, wrong);
});

test('numbers are given without an order, all of them or none', async () => {
  const person = await stand.signedUp();
  const give = (tns: number[], account?: string) =>
    stand.ask('POST', '/admin/tnlease/create', { as: operator.jwt, body: { tns, account, autorenew: false } });
  assert.equal((await give([13135550170, 442071230000], person.accountId)).status, 201);
  const lease = await stand.ask('GET', '/lease/tn/13135550170', { as: person.jwt });
  assert.deepEqual([lease.status, lease.payload.autorenew], [200, false]);
  const again = await give([13135550171, 13135550170]);
  assert.deepEqual([again.status, again.message], [409, '13135550170 is leased already; nothing was changed']);
  assert.equal((await stand.ask('GET', '/lease/tn/13135550171', { as: operator.jwt })).status, 404);
  assert.equal((await give([13135550171], person.uuid)).status, 400);
});

test('numbering data is uploaded whole or not at all; lines that are no exchange are told', async () => {
  const first = await stand.upload('/dict/lerg', operator.jwt, CSV);
  assert.deepEqual(
    [first.status, first.payload],
    [200, { total: 3, accepted: 2, failed: 1, errors: [{ line: 3, reason: 'npa is no area code: "X"' }] }],
  );
  const county = async () =>
    (
      await stand.db
        .selectFrom('numbering')
        .select('county')
        .where('npa', '=', '201')
        .where('nxx', '=', '200')
        .executeTakeFirst()
    )?.county;
  assert.equal(await county(), 'HUDSON');
  const cut = '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n';
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const half = await stand.ask('POST', '/dict/lerg', { as: operator.jwt, body: Buffer.from(cut), headers });
  assert.equal(half.status, 400, 'a form that ends in its middle');
  const broken = await stand.upload('/dict/lerg', operator.jwt, 'npa,nxx,state,county\n201,200,NJ,Essex\n201,2"');
  assert.deepEqual([broken.status, Object.keys(broken.fields)], [400, ['body.file']]);
  assert.equal(await county(), 'HUDSON');
});

test('a job that is named runs, one process at a time; one that isn’t there is 404', async () => {
  const person = await stand.signedUp();
  await stand.ask('POST', '/token', { as: person.jwt, body: { name: 'old' } });
  await stand.db
    .updateTable('api_key')
    .set({ expires_on: new Date(0) })
    .execute();
  const run = (name: string) => stand.ask('GET', `/admin/schedule/${name}`, { as: operator.jwt });
  assert.deepEqual((await run('expired_tokens')).payload, { changed: 1 });
  assert.deepEqual((await run('expired_tokens')).payload, { changed: 0 });
  assert.match((await run('nothing')).message, /expired_tokens/);
  assert.equal((await run('toString')).status, 404);
  const both = await Promise.all([1, 2, 3].map(() => runJob(stand.db, 'expired_tokens')));
  for (const changed of both) assert.ok(changed === 0 || changed === undefined);
  assert.ok((await stand.ask('GET', '/admin/system/dict_gtts_reload', { as: operator.jwt })).payload.voices > 0);
});
