/** Months of leases as they pass: renewed and charged once, or given back; however many look at once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runJob } from '../jobs/jobs.ts';
import { openRestScene, type RestScene } from '../testing/scene.ts';
import { MONTH_MS, releaseLeases, renewLeases } from './lease-months.ts';

let scene: RestScene;
before(async () => {
  scene = await openRestScene({ signUpCredit: 10 });
});
after(() => scene.close());

/** Somebody with a number at 1.5 a month that goes to an app. */
async function tenant(npa: string, autorenew: boolean) {
  const person = await scene.signedUp();
  const ask = async <P>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown) =>
    (await scene.ask(method, path, { as: person.jwt, body })).body.payload as P;
  const [tn] = await scene.stock(npa, 1);
  await ask('POST', '/order', { items: [{ tn, autorenew }] });
  const app = await ask<{ uuid: string }>('POST', '/sip/app', { name: 'App' });
  await ask('PATCH', `/lease/tn/${tn}`, { sip_control_app: app.uuid });
  const one = async () =>
    await scene.db.selectFrom('lease').selectAll().where('tn', '=', String(tn)).executeTakeFirstOrThrow();
  const paid = async () =>
    (await ask<{ total: number }>('POST', '/transaction/search', { ref_type: 'tnlease_mrc' })).total;
  const balance = async () => (await ask<{ balance: number }>('GET', '/account')).balance;
  const takesCalls = async () =>
    (await scene.db.selectFrom('number').selectAll().where('number', '=', String(tn)).execute()).length === 1;
  return { person, tn: tn!, one, paid, balance, takesCalls };
}
const later = (lease: { expires_on: Date }, ms = 1) => new Date(lease.expires_on.getTime() + ms);

test('a month that is over is renewed and charged once, by ten who look at once', async () => {
  const { one, paid, balance, takesCalls } = await tenant('212', true);
  const before = await one();
  assert.equal(await balance(), 8);
  assert.equal(await renewLeases(scene.db, new Date(before.expires_on.getTime() - 1)), 0, 'not before it is over');
  const at = later(before);
  const changed = await Promise.all(Array.from({ length: 10 }, () => renewLeases(scene.db, at)));
  assert.equal(
    changed.reduce((a, b) => a + b),
    1,
  );
  assert.equal((await one()).expires_on.getTime(), before.expires_on.getTime() + MONTH_MS);
  assert.deepEqual([await paid(), await balance(), await takesCalls()], [2, 6.5, true]);
  await renewLeases(scene.db, at);
  assert.deepEqual([await paid(), await balance()], [2, 6.5]);
});

test('months that passed while nothing ran are charged each; what can’t be paid is given back and takes no call', async () => {
  const { one, paid, balance, takesCalls, person, tn } = await tenant('213', true);
  const first = await one();
  await renewLeases(scene.db, later(first, 2 * MONTH_MS));
  assert.deepEqual([await paid(), await balance()], [4, 3.5]);
  await scene.credit(person.email, 2);
  await renewLeases(scene.db, later(first, 4 * MONTH_MS));
  const given = await one();
  assert.deepEqual([await paid(), await balance()], [5, 0.5], 'one month more was paid');
  assert.ok(given.released_on);
  assert.deepEqual([given.app_id, await takesCalls()], [null, false]);
  assert.equal((await scene.ask('GET', `/lease/tn/${tn}`, { as: person.jwt })).status, 404);
});

test('without renewal a number is given back when its month is over, and somebody else has it', async () => {
  const { one, paid, takesCalls, tn } = await tenant('214', false);
  const lease = await one();
  assert.equal(await releaseLeases(scene.db, new Date(lease.expires_on.getTime() - 1)), 0);
  assert.equal(await takesCalls(), true);
  assert.equal(await releaseLeases(scene.db, later(lease)), 1);
  assert.deepEqual([await takesCalls(), await paid()], [false, 1]);
  const other = await scene.signedUp();
  const order = await scene.ask('POST', '/order', { as: other.jwt, body: { items: [{ tn }] } });
  assert.equal((order.body.payload as { state: string }).state, 'success');
});

test('both run by the schedule, under their names', async () => {
  const { one } = await tenant('215', true);
  const { id } = await one();
  await scene.db
    .updateTable('lease')
    .set({ expires_on: new Date(Date.now() - 1000) })
    .where('id', '=', id)
    .execute();
  assert.equal(await runJob(scene.db, 'tn_leases_autorenew'), 1);
  assert.ok((await one()).expires_on.getTime() > Date.now());
  assert.equal(await runJob(scene.db, 'tn_autorelease'), 0);
});
