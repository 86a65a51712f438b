/** TN profiles and outbound voice profiles over HTTP: lists, ownership, what is refused while it is in use. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openRestScene, type Person, type RestScene } from './testing/scene.ts';

let scene: RestScene;
before(async () => {
  scene = await openRestScene({ signUpCredit: 100 });
});
after(() => scene.close());

type Method = Parameters<RestScene['ask']>[0];
async function ask<P>(who: Person, method: Method, path: string, body?: unknown, status = 200): Promise<P> {
  const answer = await scene.ask(method, path, { as: who.jwt, body });
  assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  return (status < 300 ? answer.body.payload : answer.body) as P;
}
type Thing = { uuid: string; name: string };
/** A number of one's own. */
async function leased(who: Person, npa: string): Promise<{ uuid: string; tn: number }> {
  const [tn] = await scene.stock(npa, 1);
  await ask(who, 'POST', '/order', { items: [{ tn }] }, 201);
  return { tn: tn!, uuid: (await ask<Thing>(who, 'GET', `/lease/tn/${tn}`)).uuid };
}

test('a TN profile is made, changed, given to a number, and stays while the number has it', async () => {
  const ann = await scene.signedUp();
  const profile = await ask<Thing & { description: string }>(ann, 'POST', '/profile/tn', { name: 'Doors' }, 201);
  assert.equal(profile.description, '');
  const path = `/profile/tn/${profile.uuid}`;
  const changed = { name: 'Gates', account_id: crypto.randomUUID() };
  assert.equal((await ask<Thing>(ann, 'PATCH', path, changed)).name, 'Gates');
  assert.equal((await ask<Thing>(ann, 'GET', path)).name, 'Gates');
  assert.equal((await ask<Thing[]>(ann, 'GET', '/profile/tn')).length, 1, 'it is still hers');
  const { tn } = await leased(ann, '305');
  const lease = await ask<{ tn_profile: Thing }>(ann, 'PATCH', `/lease/tn/${tn}`, { tn_profile: profile.uuid });
  assert.deepEqual(lease.tn_profile, { uuid: profile.uuid, name: 'Gates' });
  const refused = await ask<{ message: string }>(ann, 'DELETE', path, undefined, 409);
  assert.match(refused.message, /tn_profile/);
  await ask(ann, 'PATCH', `/lease/tn/${tn}`, { tn_profile: null });
  await ask(ann, 'DELETE', path);
  await ask(ann, 'GET', path, undefined, 404);
});

test('a caller is on one list at most, however many ask at once', async () => {
  const ann = await scene.signedUp();
  const { uuid } = await ask<Thing>(ann, 'POST', '/profile/tn', { name: 'Lists' }, 201);
  const [black, white] = [`/profile/tn/${uuid}/blacklist`, `/profile/tn/${uuid}/whitelist`];
  assert.deepEqual(await ask(ann, 'POST', black, { add: ['+13055550100', 13055550100, '1212*'] }), [
    '1212*',
    '13055550100',
  ]);
  assert.deepEqual(await ask(ann, 'POST', black, { add: ['13055550100'], remove: ['1212*'] }), ['13055550100']);
  const clash = await ask<{ fields: object }>(ann, 'POST', white, { add: ['1', '+13055550100'] }, 409);
  assert.deepEqual(Object.keys(clash.fields), ['body.add']);
  assert.deepEqual(await ask(ann, 'GET', white), [], 'nothing of a refused change is kept');
  for (const add of [['x'], ['1+2'], ['*1'], ['+'], [''], [-1], ['1'.repeat(21)]])
    await ask(ann, 'POST', black, { add }, 400);
  await ask(ann, 'DELETE', `${white}/13055550100`, undefined, 404);
  assert.deepEqual(await ask(ann, 'DELETE', `${black}/+13055550100`), []);
  const tries = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      scene.ask('POST', n % 2 ? black : white, { as: ann.jwt, body: { add: ['14045550100'] } }),
    ),
  );
  assert.deepEqual(new Set(tries.map(({ status }) => status)), new Set([200, 409]));
  const lists = [await ask<string[]>(ann, 'GET', black), await ask<string[]>(ann, 'GET', white)];
  assert.equal(lists.flat().length, 1);
});

test('an outbound voice profile has a number of the account as its caller id, and is kept while an app names it', async () => {
  const [ann, bob] = [await scene.signedUp(), await scene.signedUp()];
  const lease = await leased(ann, '404');
  const made = await ask<Thing & { tech_prefix: number; tn_lease: null; product: { id: number } }>(
    ann,
    'POST',
    '/profile/outbound_voice',
    { name: 'Out' },
    201,
  );
  assert.ok(made.tech_prefix >= 100_000 && made.tn_lease === null && made.product.id === 1);
  const path = `/profile/outbound_voice/${made.uuid}`;
  const limits = { channel_limit: 3, max_rate: 0.02, daily_spend_limit: 12.5, record_calls: 1 };
  const changed = await ask<typeof limits & { tn_lease: { tn: { tn: number } } }>(ann, 'PATCH', path, {
    ...limits,
    tn_lease: lease.uuid,
  });
  assert.equal(changed.tn_lease.tn.tn, lease.tn);
  assert.deepEqual([changed.channel_limit, changed.max_rate, changed.daily_spend_limit], [3, 0.02, 12.5]);
  await ask(bob, 'POST', '/profile/outbound_voice', { name: 'x', tn_lease: lease.uuid }, 400);
  await ask(ann, 'PATCH', path, { product: 7 }, 400);
  await ask(ann, 'PATCH', path, { tech_prefix: 9 }, 400);
  for (const method of ['GET', 'DELETE'] as const) await ask(bob, method, path, undefined, 404);
  await ask(bob, 'PATCH', path, { name: 'Theirs' }, 404);
  const app = await ask<Thing & { outbound_voice_profile: Thing | null }>(
    ann,
    'POST',
    '/sip/app',
    { name: 'Calls out', outbound_voice_profile: made.uuid },
    201,
  );
  assert.equal(app.outbound_voice_profile?.uuid, made.uuid);
  await ask(bob, 'POST', '/sip/app', { name: 'x', outbound_voice_profile: made.uuid }, 400);
  await ask(ann, 'DELETE', path, undefined, 409);
  await ask(ann, 'PATCH', `/sip/app/${app.uuid}`, { outbound_voice_profile: null });
  await ask(ann, 'DELETE', `/lease/tn/${lease.tn}`);
  assert.equal((await ask<{ tn_lease: null }>(ann, 'GET', path)).tn_lease, null, 'a number given back shows nobody');
  await ask(ann, 'DELETE', path);
});
