/** Users of an account and what is theirs: who may what, whose credentials still serve, pictures, addresses, hours, carts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD } from '../../testing/scene.ts';
import { openStand, type Stand } from '../../testing/stand.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
let stand: Stand;
before(async () => {
  stand = await openStand({ googleClientId: 'client.example' });
});
after(() => stand.close());

let added = 0;
/** One more user in somebody's account. */
async function colleague(admin: string, role?: string) {
  const email = `colleague${added++}@example.test`;
  const made = await stand.ask('POST', '/account/user', { as: admin, body: { email, password: PASSWORD, role } });
  assert.equal(made.status, 201, made.message);
  const { payload } = await stand.ask('GET', '/auth', { basic: `${email}:${PASSWORD}` });
  return { email, jwt: payload.token as string, uuid: payload.uuid as string, role: payload.role as string };
}

test('an Admin adds users to the account; the others may not, and nobody signs up into one', async () => {
  const admin = await stand.signedUp();
  const user = await colleague(admin.jwt);
  const provider = await colleague(admin.jwt, 'Provider');
  assert.deepEqual([user.role, provider.role], ['User', 'Provider']);
  const list = await stand.ask('GET', '/account/user', { as: user.jwt });
  assert.deepEqual(
    list.payload.map((u: { uuid: string }) => u.uuid),
    [admin.uuid, user.uuid, provider.uuid],
  );
  const body = { email: 'more@example.test', password: PASSWORD };
  for (const { jwt } of [user, provider])
    for (const [method, path] of [
      ['POST', '/account/user'],
      ['PUT', `/account/user/${admin.uuid}`],
      ['DELETE', `/account/user/${admin.uuid}`],
      ['PATCH', `/user/${admin.uuid}`],
      ['DELETE', `/user/${admin.uuid}`],
    ] as const)
      assert.equal((await stand.ask(method, path, { as: jwt, body })).status, 403, `${method} ${path}`);
  assert.equal(
    (await stand.ask('POST', '/account/user', { as: admin.jwt, body: { ...body, email: user.email } })).status,
    409,
  );
  const sign = (more: object) => stand.ask('POST', '/user', { body: { ...body, role: 'Admin', ...more } });
  for (const more of [{ account_id: admin.accountId }, { account: { name: 'x', level: 'ServiceAccount' } }])
    assert.equal((await sign(more)).status, 400, JSON.stringify(more));
  const stranger = await sign({ account: { name: 'x' } });
  assert.notEqual(stranger.payload.account.uuid, admin.accountId);
  assert.equal(stranger.payload.account.level, 'Level0');
});

test('what a body holds beside its fields is refused and changes nothing', async () => {
  const [one, other] = [await stand.signedUp(), await stand.signedUp()];
  const refused = async (method: 'PATCH' | 'POST', path: string, body: object, more: object) => {
    const { status, fields } = await stand.ask(method, path, { as: one.jwt, body: { ...body, ...more } });
    assert.deepEqual([status, Object.keys(fields ?? {})], [400, Object.keys(more).map((name) => `body.${name}`)]);
  };
  const more = { account_id: other.accountId, password_count: 7, id: other.uuid, gmail_user_id: 'x' };
  await refused('PATCH', `/user/${one.uuid}`, { first_name: 'Eve' }, more);
  const { first_name, account, gmail_user_id } = (await stand.ask('GET', '/user', { as: one.jwt })).payload;
  assert.notEqual(first_name, 'Eve');
  assert.deepEqual([account.uuid, gmail_user_id], [one.accountId, null]);
  await refused('POST', '/sip/app', { name: 'x' }, { account_id: other.accountId });
  const app = await stand.ask('POST', '/sip/app', { as: one.jwt, body: { name: 'x' } });
  const path = `/sip/app/${app.payload.uuid}`;
  await refused('PATCH', path, {}, { account_id: other.accountId, static_document: '<x/>' });
  assert.equal((await stand.ask('GET', path, { as: one.jwt })).status, 200);
  assert.equal((await stand.ask('GET', path, { as: other.jwt })).status, 404);
});

test('a deactivated user is let in by no credential until reactivated', async () => {
  const admin = await stand.signedUp();
  const user = await colleague(admin.jwt);
  const { payload: key } = await stand.ask('POST', '/token', { as: user.jwt, body: { name: 'k' } });
  const path = `/account/user/${user.uuid}`;
  const doors = async () => [
    (await stand.ask('GET', '/user', { as: user.jwt })).status,
    (await stand.ask('GET', '/user', { as: key.token })).status,
    (await stand.ask('GET', '/auth', { basic: `${user.email}:${PASSWORD}` })).status,
  ];
  assert.deepEqual(await doors(), [200, 200, 200]);
  const off = await stand.ask('DELETE', path, { as: admin.jwt });
  assert.ok(off.payload.find((u: { uuid: string }) => u.uuid === user.uuid).deleted_on);
  assert.deepEqual(await doors(), [401, 401, 401]);
  assert.equal((await stand.ask('GET', `/user/${user.uuid}`, { as: admin.jwt })).status, 404);
  assert.equal((await stand.ask('PUT', path, { as: admin.jwt })).status, 200);
  assert.deepEqual(await doors(), [200, 200, 200]);
});

test('one account’s hundred password changes at once keep nobody else out', async () => {
  const [flood, other] = [await stand.signedUp(), await stand.signedUp()];
  const body = { password: 'another long password' };
  const changes = Array.from({ length: 100 }, () => stand.ask('PATCH', `/user/${flood.uuid}`, { as: flood.jwt, body }));
  const basics = Array.from({ length: 5 }, () =>
    stand.ask('GET', '/auth', { basic: `${other.email}:${PASSWORD}`, from: '198.51.100.200' }),
  );
  assert.deepEqual(
    (await Promise.all(basics)).map(({ status }) => status),
    [200, 200, 200, 200, 200],
  );
  const answers = (await Promise.all(changes)).map(({ status }) => status);
  assert.ok(answers.includes(429) && answers.includes(200), 'its own share waits, the rest is refused');
});

test('an account keeps an Admin, even where two take each other away at once', async () => {
  const admin = await stand.signedUp();
  const own = `/account/user/${admin.uuid}`;
  assert.equal((await stand.ask('DELETE', own, { as: admin.jwt })).status, 409);
  assert.equal((await stand.ask('DELETE', `/user/${admin.uuid}`, { as: admin.jwt })).status, 409);
  assert.equal(
    (await stand.ask('PATCH', `/user/${admin.uuid}`, { as: admin.jwt, body: { role: 'User' } })).status,
    409,
  );
  const second = await colleague(admin.jwt, 'Admin');
  const both = await Promise.all([
    stand.ask('DELETE', own, { as: second.jwt }),
    stand.ask('DELETE', `/account/user/${second.uuid}`, { as: admin.jwt }),
  ]);
  // Whoever comes second is an Admin no more, or is told that they are the last.
  const [won, lost] = both.map(({ status }) => status).sort();
  assert.ok(won === 200 && (lost === 401 || lost === 409), `${won} ${lost}`);
  const left = await stand.db
    .selectFrom('person')
    .select('id')
    .where('account_id', '=', admin.accountId)
    .where('deleted_on', 'is', null)
    .execute();
  assert.equal(left.length, 1);
});

test('a removed user is gone for good, and the e-mail is free', async () => {
  const admin = await stand.signedUp();
  const user = await colleague(admin.jwt);
  assert.equal((await stand.ask('DELETE', `/user/${user.uuid}`, { as: user.jwt })).status, 200);
  assert.equal((await stand.ask('GET', '/user', { as: user.jwt })).status, 401);
  assert.equal((await stand.ask('PUT', `/account/user/${user.uuid}`, { as: admin.jwt })).status, 404);
  assert.equal((await stand.ask('POST', '/user', { body: { email: user.email, password: PASSWORD } })).status, 201);
});

test('a new password ends the log-ins of before; a role that was taken away is gone at once', async () => {
  const admin = await stand.signedUp();
  const user = await colleague(admin.jwt, 'Admin');
  await stand.ask('PATCH', `/user/${user.uuid}`, { as: admin.jwt, body: { role: 'User' } });
  const body = { email: 'y@example.test', password: PASSWORD };
  assert.equal((await stand.ask('POST', '/account/user', { as: user.jwt, body })).status, 403);
  await stand.ask('PATCH', `/user/${user.uuid}`, { as: user.jwt, body: { password: 'a new password' } });
  assert.equal((await stand.ask('GET', '/user', { as: user.jwt })).status, 401);
  assert.equal((await stand.ask('GET', '/auth', { basic: `${user.email}:a new password` })).status, 200);
});

test('an account is read by its own users and by the installation’s Admin', async () => {
  const [one, other] = [await stand.signedUp(), await stand.signedUp()];
  assert.equal((await stand.ask('GET', `/account/${one.accountId}`, { as: one.jwt })).payload.uuid, one.accountId);
  assert.equal((await stand.ask('GET', `/account/${one.accountId}`, { as: other.jwt })).status, 404);
  await stand.promote(other);
  assert.equal((await stand.ask('GET', `/account/${one.accountId}`, { as: other.jwt })).status, 200);
});

test('a picture is what its bytes are, served as nothing else, and gone when it is taken away', async () => {
  const { jwt, uuid } = await stand.signedUp();
  const path = `/user/${uuid}/avatar`;
  const kinds: Array<[Buffer, string | undefined]> = [
    [PNG, 'image/png'],
    [Buffer.from('ffd8ffe000104a464946', 'hex'), 'image/jpeg'],
    [Buffer.from('RIFF\x24\0\0\0WEBPVP8 ', 'latin1'), 'image/webp'],
    [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), undefined],
    [Buffer.from('<html><script>alert(1)</script>'), undefined],
    [Buffer.concat([PNG, Buffer.alloc(524_288)]), undefined],
    [Buffer.concat([PNG, Buffer.alloc(524_288 - PNG.length)]), 'image/png'],
  ];
  let last = '';
  for (const [bytes, type] of kinds) {
    const answer = await stand.upload(path, jwt, bytes);
    assert.equal(
      answer.status,
      type ? 200 : bytes.length > 524_288 ? 413 : 400,
      `${answer.message} ${JSON.stringify(answer.fields)}`,
    );
    if (!type) continue;
    last = answer.payload.avatar;
    const served = await stand.http.inject(last);
    assert.deepEqual(
      [served.statusCode, served.headers['content-type'], served.headers['x-content-type-options']],
      [200, type, 'nosniff'],
    );
    assert.ok(served.rawPayload.equals(bytes));
  }
  assert.equal((await stand.http.inject(last.replace('.png', '.jpg'))).statusCode, 404);
  const other = await stand.signedUp();
  assert.equal((await stand.upload(path, other.jwt, PNG)).status, 404);
  assert.equal((await stand.ask('DELETE', path, { as: jwt })).payload.avatar, null);
  assert.equal((await stand.http.inject(last)).statusCode, 404);
});

test('addresses belong to the account and remember their user', async () => {
  const admin = await stand.signedUp();
  const user = await colleague(admin.jwt);
  const body = {
    ...{ name: 'Office', is_physical: true, is_billing: false, is_shipping: false },
    ...{ address1: '1 Main St', zip_code: '10001', city: 'New York', country: 'US' },
  };
  const made = await stand.ask('POST', '/address', { as: user.jwt, body });
  assert.equal(made.status, 201, made.message);
  assert.deepEqual([made.payload.country, made.payload.user.uuid], [{ a2: 'US' }, user.uuid]);
  const count = async (path: string, as: string) => (await stand.ask('GET', path, { as })).payload.length;
  assert.deepEqual([await count('/address/account', admin.jwt), await count('/address/user', admin.jwt)], [1, 0]);
  const path = `/address/${made.payload.uuid}`;
  const moved = await stand.ask('PATCH', path, { as: admin.jwt, body: { city: 'Albany', address2: 'Floor 2' } });
  assert.deepEqual(
    [moved.payload.city, moved.payload.address2, moved.payload.zip_code],
    ['Albany', 'Floor 2', '10001'],
  );
  const other = await stand.signedUp();
  for (const method of ['GET', 'PATCH', 'DELETE'] as const)
    assert.equal((await stand.ask(method, path, { as: other.jwt, body: {} })).status, 404);
  assert.equal((await stand.ask('DELETE', path, { as: admin.jwt })).status, 200);
  assert.equal((await stand.ask('GET', path, { as: admin.jwt })).status, 404);
  assert.equal((await stand.ask('POST', '/address', { as: admin.jwt, body: { ...body, country: 'usa' } })).status, 400);
});

test('office hours are spans of a day that end after they begin', async () => {
  const { jwt } = await stand.signedUp();
  const body = { type: 'lunchtime', dow: 'mon', time_from: 43_200, time_to: 46_800 };
  const made = await stand.ask('POST', '/account/office_hours', { as: jwt, body });
  assert.equal(made.status, 201, made.message);
  const path = `/account/office_hours/${made.payload.uuid}`;
  assert.equal((await stand.ask('PATCH', path, { as: jwt, body: { name: 'Lunch', dow: 'tue' } })).payload.dow, 'tue');
  const backwards = await stand.ask('PATCH', path, { as: jwt, body: { time_to: 40_000 } });
  assert.deepEqual([backwards.status, Object.keys(backwards.fields)], [400, ['body.time_to']]);
  const list = async (dow: string) =>
    (await stand.ask('GET', `/account/office_hours?dow=${dow}`, { as: jwt })).payload.length;
  assert.deepEqual([await list('mon'), await list('tue')], [0, 1]);
  assert.equal((await stand.ask('GET', '/account/office_hours?dow=noday', { as: jwt })).status, 400);
  const other = await stand.signedUp();
  assert.equal((await stand.ask('DELETE', path, { as: other.jwt })).status, 404);
  assert.equal((await stand.ask('DELETE', path, { as: jwt })).status, 200);
});

test('a cart is one user’s, keeps what it was given, and forgets what is over', async () => {
  const admin = await stand.signedUp();
  const user = await colleague(admin.jwt);
  const payload = { tn: 12125550100, nested: { features: ['sms'], account_id: 'kept as it is' } };
  const made = await stand.ask('POST', '/user/cart', { as: user.jwt, body: { payload, ttl: 60 } });
  assert.deepEqual([made.status, made.payload.payload], [201, payload]);
  const entries = async (as: string) => (await stand.ask('GET', '/user/cart', { as })).payload;
  assert.deepEqual([(await entries(user.jwt)).length, await entries(admin.jwt)], [1, []]);
  const path = `/user/cart/${made.payload.uuid}`;
  assert.equal((await stand.ask('PATCH', path, { as: admin.jwt, body: { payload: {} } })).status, 404);
  assert.deepEqual((await stand.ask('PATCH', path, { as: user.jwt, body: { payload: { a: 1 } } })).payload.payload, {
    a: 1,
  });
  await stand.db
    .updateTable('cart_entry')
    .set({ expires_on: new Date(0) })
    .execute();
  assert.deepEqual(await entries(user.jwt), []);
  await stand.ask('POST', '/user/cart', { as: user.jwt, body: { payload } });
  assert.equal((await stand.ask('DELETE', '/user/cart', { as: user.jwt })).status, 200);
  assert.deepEqual(await entries(user.jwt), []);
  const long = { payload: { text: 'x'.repeat(20_000) } };
  assert.equal((await stand.ask('POST', '/user/cart', { as: user.jwt, body: long })).status, 400);
});

test('public settings say which ways in are set up, to whoever asks', async () => {
  const { status, payload } = await stand.ask('GET', '/settings');
  assert.deepEqual([status, payload.google_client_id, payload.stripe_public_key], [200, 'client.example', null]);
});

test('an Admin sets the clock and the profile of the account, and reports go by that clock', async () => {
  const admin = await stand.signedUp();
  const user = await colleague(admin.jwt);
  const change = (body: object, as = admin.jwt) => stand.ask('PATCH', '/account', { as, body });
  const said = {
    phone: '+49301234',
    address1: 'Unter den Linden 1',
    address2: null,
    zip_code: '10117',
    city: 'Berlin',
  };
  const first = await stand.ask('GET', '/account', { as: admin.jwt });
  const zone = async () =>
    (await stand.ask('GET', '/transaction/report/invoice', { as: admin.jwt })).payload.from as string;
  const inUtc = await zone();
  const changed = await change({ ...said, name: 'Ann and Co', time_zone: 'Asia/Kathmandu' });
  assert.equal(changed.status, 200, changed.message);
  const expected = { ...first.payload, ...said, name: 'Ann and Co', time_zone: 'Asia/Kathmandu' };
  assert.deepEqual(changed.payload, { ...expected, modified_on: changed.payload.modified_on });
  assert.deepEqual((await stand.ask('GET', '/account', { as: user.jwt })).payload, changed.payload);
  assert.deepEqual((await stand.ask('GET', '/user', { as: user.jwt })).payload.account, changed.payload);
  assert.notEqual(await zone(), inUtc);
  for (const time_zone of ['Mars/Olympus', '+01:00', 'x'.repeat(65)])
    assert.deepEqual(Object.keys((await change({ time_zone })).fields), ['body.time_zone'], time_zone);
  assert.equal((await change({ balance: 7 })).status, 400);
  assert.equal((await change({ city: null }, user.jwt)).status, 403);
});
