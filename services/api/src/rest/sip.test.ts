/** SIP objects, profiles and leases over HTTP: lists, ownership, what is refused while it is in use. */
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

test('a connection has one address; a number goes to it or to an app, and nowhere when it is removed', async () => {
  const [ann, bob] = [await scene.signedUp(), await scene.signedUp()];
  type Connection = Thing & { ip: string | null; hostname: string | null; port: number; tech_prefix: number };
  const path = '/sip/connection';
  const made = await ask<Connection>(ann, 'POST', path, { name: 'PBX', ip: '192.0.2.7', product: 1 }, 201);
  assert.deepEqual([made.ip, made.hostname, made.port, made.tech_prefix >= 100_000], ['192.0.2.7', null, 5060, true]);
  for (const wrong of [
    { name: 'x' },
    { name: 'x', ip: '192.0.2.7', hostname: 'pbx.example.test' },
    { name: 'x', ip: '192.0.2.777' },
    { name: 'x', hostname: 'localhost' },
    { name: 'x', hostname: 'pbx.example.test/?x' },
    { name: 'x', ip: '192.0.2.7', port: 80 },
    { name: 'x', ip: '192.0.2.7', product: 9 },
    { ip: '192.0.2.7' },
  ])
    await ask(ann, 'POST', path, wrong, 400);
  const one = `${path}/${made.uuid}`;
  const moved = await ask<Connection>(ann, 'PATCH', one, { hostname: 'pbx.example.test', port: 5080 });
  assert.deepEqual([moved.ip, moved.hostname, moved.port], [null, 'pbx.example.test', 5080]);
  await ask(ann, 'PATCH', one, { hostname: null }, 400);
  const [a, b] = [await leased(ann, '206'), await leased(ann, '207')];
  const app = await ask<Thing>(ann, 'POST', '/sip/app', { name: 'App' }, 201);
  type Lease = Thing & { sip_connection: Thing | null; sip_control_app: Thing | null };
  const goal = ({ sip_connection: c, sip_control_app: s }: Lease) => [c?.name ?? null, s?.name ?? null];
  const patch = (change: object, status = 200) => ask<Lease>(ann, 'PATCH', `/lease/tn/${a.tn}`, change, status);
  assert.deepEqual(goal(await patch({ sip_control_app: app.uuid })), [null, 'App']);
  assert.deepEqual(goal(await patch({ sip_connection: made.uuid })), ['PBX', null]);
  assert.deepEqual(goal(await patch({ sip_control_app: null })), ['PBX', null], 'it was no app');
  await patch({ sip_connection: made.uuid, sip_control_app: app.uuid }, 400);
  const there = await ask<Lease[]>(ann, 'POST', `${one}/tnlease`, { add: [b.uuid] });
  assert.equal(there.length, 2);
  const searched = await ask<{ total: number }>(ann, 'POST', '/lease/tn/search', { sip_connections_skip: [made.uuid] });
  assert.equal(searched.total, 0);
  await ask(ann, 'POST', `${one}/tnlease`, { remove: [b.uuid] });
  await ask(ann, 'POST', `/sip/app/${app.uuid}/tnlease`, { add: [b.uuid] });
  assert.deepEqual(
    (await ask<Lease[]>(ann, 'GET', `${one}/tnlease`)).map(({ uuid }) => uuid),
    [a.uuid],
  );
  await ask(bob, 'POST', `${one}/tnlease`, {}, 404);
  await ask(bob, 'PATCH', `/lease/tn/${a.tn}`, { sip_connection: made.uuid }, 404);
  const refused = await ask<{ message: string }>(ann, 'DELETE', `/sip/app/${app.uuid}`, undefined, 409);
  assert.match(refused.message, /numbers or domains point to this app/);
  await ask(ann, 'DELETE', one);
  assert.deepEqual(goal(await ask<Lease>(ann, 'GET', `/lease/tn/${a.tn}`)), [null, null]);
  const number = scene.db.selectFrom('number').selectAll().where('number', '=', String(a.tn));
  assert.equal(await number.executeTakeFirst(), undefined);
});

test('leases are found by any or all of what is asked, in the order that is asked, and given back together', async () => {
  const ann = await scene.signedUp();
  const numbers = [await leased(ann, '312'), await leased(ann, '313'), await leased(ann, '412')];
  type Page = { total: number; take: number; mode?: string; data: Array<{ tn: { tn: number } }> };
  const search = async (body: object, query = '') => {
    const page = await ask<Page>(ann, 'POST', `/lease/tn/search${query}`, body);
    return [page.total, ...page.data.map(({ tn }) => Math.floor(tn.tn / 1e7) % 1000)];
  };
  assert.deepEqual(await search({ tn: '131*', order: { tn: 'DESC' } }), [2, 313, 312]);
  assert.deepEqual(
    await search({ tn: '1312*', autorenew: true, mode: 'OR', order: { tn: 'ASC' } }),
    [3, 312, 313, 412],
  );
  assert.deepEqual(await search({ tn: '1312*', autorenew: false, mode: 'AND' }), [0]);
  assert.deepEqual(await search({ order: { created_on: 'ASC' }, take: 1, skip: 1 }), [3, 313]);
  assert.deepEqual(await search({ order: { created_on: 'ASC' } }, '?take=1&skip=2'), [3, 412]);
  assert.deepEqual(await search({ created_on_to: '2020-01-01T00:00:00Z' }), [0]);
  await ask(ann, 'POST', '/lease/tn/search', { order: { 'tn; drop table lease': 'ASC' }, mode: 'XOR' }, 400);
  assert.equal((await ask<Page>(ann, 'GET', '/lease/tn?take=2')).data.length, 2);
  assert.equal((await ask<Thing>(ann, 'GET', `/lease/tn/${numbers[0]!.tn}/tn`)).uuid, numbers[0]!.uuid);
  const route = await ask<{ destination: null; provider: string }>(ann, 'GET', `/lease/tn/${numbers[0]!.tn}/route`);
  assert.deepEqual([route.destination, route.provider], [null, 'inventory']);
  await ask(ann, 'PATCH', `/lease/tn/${numbers[0]!.tn}`, { fax: true }, 400);
  const able = await ask<{ features: string[] }>(ann, 'PATCH', `/lease/tn/${numbers[0]!.tn}`, { sms: true });
  assert.deepEqual(able.features, ['voice', 'sms']);
  await ask(ann, 'DELETE', '/lease/tn', { item: [numbers[0]!.tn, 12025559999] }, 404);
  assert.deepEqual(await search({ take: 1 }), [3, 412], 'nothing was given back');
  await ask(ann, 'DELETE', '/lease/tn', { item: [numbers[0]!.tn, numbers[1]!.uuid] });
  assert.deepEqual(await search({}), [1, 412]);
});
