/** Numbers over HTTP: searched, ordered, screened by TN profiles, shown by outbound voice profiles, given back; places. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { askerOf, type Thing } from '../../testing/asker.ts';
import { openRestScene, type RestScene } from '../../testing/scene.ts';

let scene: RestScene;
before(async () => {
  scene = await openRestScene({ signUpCredit: 100 });
});
after(() => scene.close());
const { ask, leased } = askerOf(() => scene);

test('a TN profile is made, changed, given to a number, and stays while the number has it', async () => {
  const ann = await scene.signedUp();
  const profile = await ask<Thing & { description: string }>(ann, 'POST', '/profile/tn', { name: 'Doors' }, 201);
  assert.equal(profile.description, '');
  const path = `/profile/tn/${profile.uuid}`;
  const changed = { name: 'Gates' };
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
  const spelled = await ask<typeof limits>(ann, 'PATCH', path, { daily_spent_limit: 13 });
  assert.equal(spelled.daily_spend_limit, 13, 'as clients spell it');
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
  type Media = { silence_ms: number | null; rtp_from_anywhere: boolean };
  const media = { silence_ms: 600_000, rtp_from_anywhere: true };
  const heard = await ask<Media>(ann, 'PATCH', `/sip/app/${app.uuid}`, media);
  assert.deepEqual([heard.silence_ms, heard.rtp_from_anywhere], [600_000, true]);
  const unset = await ask<Media>(ann, 'PATCH', `/sip/app/${app.uuid}`, { silence_ms: null, rtp_from_anywhere: false });
  assert.deepEqual([unset.silence_ms, unset.rtp_from_anywhere], [null, false]);
  for (const silence_ms of [0, 4999, 14_400_001, 'x'])
    await ask(ann, 'PATCH', `/sip/app/${app.uuid}`, { silence_ms }, 400);
  const latin = Buffer.from(
    '<?xml version="1.0" encoding="ISO-8859-1"?><Response><Say>Orléans</Say></Response>',
    'latin1',
  );
  const kept = await scene.upload(`/sip/app/call/flow/${app.uuid}`, ann.jwt, latin);
  assert.match(JSON.stringify(kept.body), /Orléans/);
  const lost = await scene.upload(`/sip/app/call/flow/${app.uuid}`, ann.jwt, latin.subarray(latin.indexOf('<Resp')));
  assert.deepEqual([lost.status, /utf-8/.test(JSON.stringify(lost.body))], [400, true]);
  await ask(ann, 'DELETE', path, undefined, 409);
  await ask(ann, 'PATCH', `/sip/app/${app.uuid}`, { outbound_voice_profile: null });
  await ask(ann, 'DELETE', `/lease/tn/${lease.tn}`);
  assert.equal((await ask<{ tn_lease: null }>(ann, 'GET', path)).tn_lease, null, 'a number given back shows nobody');
  await ask(ann, 'DELETE', path);
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

test('countries, time zones, and the places where numbers can be had, are told to anybody', async () => {
  await scene.stock('518', 1);
  const list = async <P>(path: string) => (await scene.ask('GET', path)).body.payload as P[];
  const countries = await list<{ a2: string; a3: string; n: number; name: string }>('/dict/country');
  assert.equal(countries.length, 249);
  assert.deepEqual(
    countries.find(({ a2 }) => a2 === 'US'),
    { name: 'United States', a2: 'US', a3: 'USA', n: 840 },
  );
  for (const key of ['a2', 'a3', 'n', 'name'] as const)
    assert.equal(new Set(countries.map((country) => country[key])).size, 249, key);
  const zones = await list<{ name: string }>('/dict/tz');
  const zone = (name: string) => zones.find((one) => one.name === name);
  assert.deepEqual(zone('America/New_York'), { name: 'America/New_York', utc_offset: -300, utc_dst_offset: -240 });
  assert.deepEqual(zone('Australia/Sydney'), { name: 'Australia/Sydney', utc_offset: 600, utc_dst_offset: 660 });
  assert.deepEqual(zone('UTC'), { name: 'UTC', utc_offset: 0, utc_dst_offset: 0 });
  assert.deepEqual(await list('/dict/lerg/states?country=us'), [{ country: 'US', state: 'NY' }]);
  const center = { country: 'US', state: 'NY', rate_center: 'NWYRCYZN01' };
  assert.deepEqual(await list('/dict/lerg/ratecenters?state=NY'), [center]);
  assert.deepEqual(await list('/dict/lerg/ratecenters?state=CA'), []);
});

test('numbers are searched in both forms of the reference, and ordered by features or by a switch each', async () => {
  const ann = await scene.signedUp();
  const tns = await scene.stock('646', 12);
  type Page = { total: number; take: number; skip: number; data: Array<{ tn: number }> };
  const search = (body: object, query = '', status = 200) => ask<Page>(ann, 'POST', `/tn/search${query}`, body, status);
  const pages = await search({ pattern: '646*' }, '?page=2&size=5');
  assert.deepEqual([pages.total, pages.take, pages.skip, pages.data[0]!.tn], [12, 5, 5, tns[5]]);
  assert.equal((await search({ pattern: '646*', take: 3, skip: 11 })).data.length, 1);
  assert.equal((await search({ pattern: '646jjj0%%%', abcSearch: true })).total, 12, 'JJJ is 555');
  await search({ pattern: '646JJJ*' }, '', 400);
  assert.equal((await search({ pattern: '646*', profile: 'us' })).total, 12);
  await search({ profile: 'Nowhere' }, '', 404);
  assert.equal((await search({ npa: '646', nxx: '555', line: '0101' })).data[0]!.tn, tns[1]);
  await search({ pattern: '646%%%%1_0' }, '', 400);
  type Order = Thing & { state: string };
  await ask<Order>(
    ann,
    'POST',
    '/order/tn',
    { items: [{ tn: tns[0], sms: true, voice: true, autorenew: false }] },
    201,
  );
  const lease = await ask<{ features: string[]; autorenew: boolean }>(ann, 'GET', `/lease/tn/${tns[0]}`);
  assert.deepEqual([lease.features, lease.autorenew], [['voice', 'sms'], false]);
  const failed = await ask<{ message: string }>(ann, 'POST', '/order/tn', { items: [{ tn: tns[1], fax: true }] }, 409);
  assert.match(failed.message, /the number has no fax/);
  const found = await ask<{ total: number; data: Order[] }>(ann, 'POST', '/order/search', { state: 'failed' });
  assert.equal(found.total, 1);
  assert.ok(failed.message.includes(found.data[0]!.uuid));
  const all = await ask<{ data: Order[] }>(ann, 'POST', '/order/search', { order: { created_on: 'ASC' } });
  assert.deepEqual(
    all.data.map(({ state }) => state),
    ['success', 'failed'],
  );
  assert.equal((await ask<{ total: number }>(ann, 'GET', '/order')).total, 2);
});

test('orders at once: of an account all are leased; of several for the same numbers each is whole or none', async () => {
  const ann = await scene.signedUp();
  const order = (who: { jwt: string }, tns: number[], headers = {}) =>
    scene.ask('POST', '/order', { as: who.jwt, body: { items: tns.map((tn) => ({ tn })) }, headers });
  const own = await scene.stock('618', 20);
  const mine = await Promise.all(own.map((tn) => order(ann, [tn])));
  assert.deepEqual(new Set(mine.map(({ status }) => status)), new Set([201]));

  const people = [ann, await scene.signedUp(), await scene.signedUp(), await scene.signedUp()];
  const few = await scene.stock('619', 4);
  const orders = await Promise.all(
    Array.from({ length: 32 }, (_, n) => order(people[n % 4]!, n % 8 < 4 ? few : few.toReversed())),
  );
  const strange = orders.filter(({ status }) => status !== 201 && status !== 409);
  assert.deepEqual(strange, []);
  const leased = orders.map(({ body }) => (body.payload as { success: number } | undefined)?.success ?? 0);
  assert.deepEqual([...leased].sort().slice(-2), [0, 4], 'one order has them all');
});

test('an order’s Idempotency-Key is of one request; a price has four decimals', async () => {
  const ann = await scene.signedUp();
  const [one, two] = await scene.stock('620', 2);
  const [, , three] = await scene.stock('623', 3, '0.1');
  const order = (tn: number) =>
    scene.ask('POST', '/order', { as: ann.jwt, body: { items: [{ tn }] }, headers: { 'idempotency-key': 'k1' } });
  const [first, again, other] = [await order(one!), await order(one!), await order(two!)];
  assert.deepEqual([first.status, again.status, other.status], [201, 201, 409]);
  assert.equal((first.body.payload as { uuid: string }).uuid, (again.body.payload as { uuid: string }).uuid);
  assert.match(other.body.message, /Idempotency-Key/);
  const items = [three! - 2, three! - 1, three!].map((tn) => ({ tn }));
  const price = await ask<{ mrc: number }>(ann, 'POST', '/order/price', { items });
  assert.equal(price.mrc, 0.3);
});

test('+1… is taken wherever a number is: searched, priced, ordered, leased, screened, given back', async () => {
  const ann = await scene.signedUp();
  const [one, two] = (await scene.stock('929', 2)) as [number, number];
  const plus = (tn: number) => `+${tn}`;
  type Page = { data: Array<{ tn: number }> };
  const found = await ask<Page>(ann, 'POST', '/tn/search', { pattern: `${plus(one).slice(0, 5)}*` });
  assert.deepEqual(
    found.data.map(({ tn }) => tn),
    [one, two],
  );
  const items = [{ tn: plus(one) }, { tn: String(two) }];
  const price = await ask<{ items: Array<{ tn: number }> }>(ann, 'POST', '/order/price', { items });
  assert.deepEqual(
    price.items.map(({ tn }) => tn),
    [one, two],
  );
  await ask(ann, 'POST', '/order', { items }, 201);
  const leased = await ask<{ data: Array<{ tn: { tn: number } }> }>(ann, 'POST', '/lease/tn/search', { tn: plus(one) });
  assert.deepEqual(
    leased.data.map(({ tn }) => tn.tn),
    [one],
  );
  await ask(ann, 'PATCH', `/lease/tn/${plus(one)}`, { autorenew: false });
  await ask(ann, 'DELETE', '/lease/tn', { item: [plus(one), two] });
  for (const tn of ['+', '+1', '1 646 555 0100', '+0646555010', `+${'1'.repeat(16)}`, 'x'])
    await ask(ann, 'POST', '/order', { items: [{ tn }] }, 400);
});

test('a profile takes no recordings that can’t be made: MP3, or a track for each side', async () => {
  const ann = await scene.signedUp();
  const { uuid } = await ask<Thing>(ann, 'POST', '/profile/outbound_voice', { name: 'Records' }, 201);
  for (const [field, value, message] of [
    ['filemat', 'mp3', 'must be wav: there is no encoder of MP3 here'],
    ['audio_track_type', 1, 'must be 0: recordings have one track, both sides in it'],
    ['record_calls', 3, 'must be one of 0, 1, 2'],
  ] as const)
    for (const [method, path] of [
      ['POST', '/profile/outbound_voice'],
      ['PATCH', `/profile/outbound_voice/${uuid}`],
    ] as const) {
      const { status, body } = await scene.ask(method, path, { as: ann.jwt, body: { name: 'x', [field]: value } });
      const fields = (body as unknown as { fields: Record<string, { message: string }> }).fields;
      assert.deepEqual([status, fields[`body.${field}`]?.message], [400, message]);
    }
  const same = { filemat: 'wav', audio_track_type: 0, record_calls: 2 };
  const changed = await ask<typeof same>(ann, 'PATCH', `/profile/outbound_voice/${uuid}`, same);
  assert.deepEqual([changed.filemat, changed.audio_track_type, changed.record_calls], ['wav', 0, 2]);
});
