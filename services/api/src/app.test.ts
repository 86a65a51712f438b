/** Accounts, credentials, API keys and apps over HTTP, from a real database; what one account has no other sees. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SignJWT } from 'jose';
import { JWT_KEY as KEY, openRestScene, PASSWORD, type RestScene } from './testing/scene.ts';

let scene: RestScene;
before(async () => {
  scene = await openRestScene();
});
after(() => scene.close());

const ask: RestScene['ask'] = (...of) => scene.ask(...of);
const signedUp = () => scene.signedUp();
const upload: RestScene['upload'] = (...of) => scene.upload(...of);
const stock: RestScene['stock'] = (...of) => scene.stock(...of);
const credit: RestScene['credit'] = (...of) => scene.credit(...of);

test('sign up, log in by password, then by the token of it', async () => {
  const nobody = scene.client();
  const basic = { email: 'ann@example.test', password: PASSWORD };
  const { uuid } = await nobody.createUser({ body: basic });
  const { token } = await nobody.as({ basic }).auth();
  const me = await nobody.as({ token: token! }).getCurrentUser();
  assert.deepEqual([me.uuid, me.email, me.account.level, me.account.balance], [uuid, basic.email, 'Level0', 0]);
  assert.ok(!JSON.stringify(me).includes('password'));
  await assert.rejects(nobody.createUser({ body: basic }), { name: 'ApiError', status: 409 });
  await assert.rejects(nobody.createUser({ body: { ...basic, password: 'short' } }), {
    message: '400 some parameters are wrong; body.password must be text of 8 to 256 characters',
  });
});

test('wrong, missing, expired and forged credentials are all 401', async () => {
  const { email, uuid } = await signedUp();
  const sign = (key: Uint8Array, exp: string, alg = 'HS256') =>
    new SignJWT({ uuid, role: 'Admin' }).setProtectedHeader({ alg }).setIssuedAt().setExpirationTime(exp).sign(key);
  const forged = await sign(new TextEncoder().encode('x'.repeat(32)), '1h');
  const expired = await sign(KEY, '-1s');
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ uuid, role: 'Admin', iat: 1, exp: 9e9 })).toString('base64url')}.`;
  for (const as of [forged, expired, unsigned, 'a'.repeat(48), 'nonsense'])
    assert.equal((await ask('GET', '/user', { as })).status, 401, as);
  assert.equal((await ask('GET', '/user')).status, 401);
  assert.equal((await ask('GET', '/auth', { basic: `${email}:wrong` })).status, 401);
  assert.equal((await ask('GET', '/auth', { basic: 'nobody@example.test:wrong' })).status, 401);
});

test('ten wrong passwords from one address, and it must wait, whoever it names; the right user elsewhere need not', async () => {
  const { email } = await signedUp();
  for (let i = 0; i < 10; i++)
    assert.equal((await ask('GET', '/auth', { basic: `${email}:wrong${i}`, from: '10.9.9.9' })).status, 401);
  assert.equal((await ask('GET', '/auth', { basic: `${email}:${PASSWORD}`, from: '10.9.9.9' })).status, 429);
  assert.equal((await ask('GET', '/auth', { basic: `${email}:${PASSWORD}` })).status, 200);
  const other = await signedUp();
  assert.equal((await ask('GET', '/auth', { basic: `${other.email}:${PASSWORD}`, from: '10.9.9.9' })).status, 429);
  assert.equal((await ask('GET', '/auth', { basic: `${other.email}:${PASSWORD}` })).status, 200);
});

test('an API key is shown once, serves like a password, and is over when it is removed or expired', async () => {
  const { jwt } = await signedUp();
  const made = await ask('POST', '/token', { as: jwt, body: { name: 'ci', ttl: 60 } });
  assert.equal(made.status, 201);
  const { token } = made.body.payload as { token: string };
  assert.equal(token.length, 48);
  assert.equal((await ask('GET', '/user', { as: token })).status, 200);
  const list = await ask('GET', '/token/list', { as: jwt });
  assert.ok(!JSON.stringify(list.body).includes(token));
  assert.ok(!JSON.stringify(await scene.db.selectFrom('api_key').selectAll().execute()).includes(token));
  assert.equal((await ask('DELETE', `/token/${token}`, { as: jwt })).status, 200);
  assert.equal((await ask('GET', '/user', { as: token })).status, 401);
  assert.equal((await ask('DELETE', `/token/${token}`, { as: jwt })).status, 404);
  const other = (await ask('POST', '/token', { as: jwt, body: { name: 'ci', ttl: 60 } })).body.payload;
  const { token: expired, uuid } = other as { token: string; uuid: string };
  assert.equal((await ask('GET', '/user', { as: expired })).status, 200);
  await scene.db
    .updateTable('api_key')
    .set({ expires_on: new Date(0) })
    .where('id', '=', uuid)
    .execute();
  assert.equal((await ask('GET', '/user', { as: expired })).status, 401);
  const keys = [1, 2].map(() => ask('POST', '/token', { as: jwt, body: { name: 'ci' } }));
  const others = (await Promise.all(keys)).map(({ body }) => (body.payload as { token: string }).token);
  assert.equal((await ask('DELETE', '/token/all', { as: others[0]! })).status, 200);
  for (const as of others) assert.equal((await ask('GET', '/user', { as })).status, 401);
});

test('an app is made, changed, given a document and removed', async () => {
  const { jwt } = await signedUp();
  const made = await ask('POST', '/sip/app', { as: jwt, body: { name: 'Menu', auto_answer: true } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { uuid } = made.body.payload as { uuid: string };
  const changed = await ask('PATCH', `/sip/app/${uuid}`, { as: jwt, body: { call_flow_url: 'https://a.test/flow' } });
  assert.equal((changed.body.payload as { call_flow_url: string }).call_flow_url, 'https://a.test/flow');
  const path = `/sip/app/call/flow/${uuid}`;
  assert.equal((await ask('GET', path, { as: jwt })).status, 404);
  assert.equal((await upload(path, jwt, '<Response><Say>hi</Say></Response>')).status, 200);
  const kept = await ask('GET', path, { as: jwt });
  assert.equal((kept.body.payload as { xml: string }).xml, '<Response><Say>hi</Say></Response>');
  const wrong = await upload(path, jwt, '<Response><Dail/></Response>');
  assert.equal(wrong.status, 400);
  assert.match((wrong.body.fields as Record<string, { message: string }>)['body.file']!.message, /line 1, column 11/);
  assert.equal((await upload(path, jwt, 'x'.repeat(70_000))).status, 413);
  assert.equal((await ask('DELETE', path, { as: jwt })).status, 200);
  assert.equal((await ask('DELETE', `/sip/app/${uuid}`, { as: jwt })).status, 200);
  assert.equal((await ask('GET', `/sip/app/${uuid}`, { as: jwt })).status, 404);
});

test('a field that no route names is refused: nobody moves into another account', async () => {
  const [one, other] = [await signedUp(), await signedUp()];
  const body = { first_name: 'Eve', account_id: one.accountId, password_count: 9 };
  assert.equal((await ask('PATCH', `/user/${other.uuid}`, { as: other.jwt, body })).status, 400);
  const me = (await ask('GET', '/user', { as: other.jwt })).body.payload as { account: { uuid: string }; role: string };
  assert.deepEqual([me.account.uuid, me.role], [other.accountId, 'Admin']);
  const made = await ask('POST', '/sip/app', { as: other.jwt, body: { name: 'x', account_id: one.accountId } });
  assert.equal(made.status, 400);
  for (const { jwt: as } of [one, other]) assert.deepEqual((await ask('GET', '/sip/app', { as })).body.payload, []);
});

test('what one account has, no other sees or changes', async () => {
  const [one, other] = [await signedUp(), await signedUp()];
  const app = await ask('POST', '/sip/app', { as: one.jwt, body: { name: 'Mine' } });
  const { uuid } = app.body.payload as { uuid: string };
  const key = (await ask('POST', '/token', { as: one.jwt, body: { name: 'k' } })).body.payload as { uuid: string };
  const strange: Array<[Parameters<typeof ask>[0], string, unknown?]> = [
    ['GET', `/sip/app/${uuid}`],
    ['PATCH', `/sip/app/${uuid}`, { name: 'Theirs' }],
    ['DELETE', `/sip/app/${uuid}`],
    ['GET', `/sip/app/call/flow/${uuid}`],
    ['DELETE', `/sip/app/call/flow/${uuid}`],
    ['PATCH', `/token/${key.uuid}`, { name: 'x' }],
    ['DELETE', `/token/${key.uuid}`],
    ['GET', `/user/${one.uuid}`],
    ['PATCH', `/user/${one.uuid}`, { password: 'another password' }],
  ];
  for (const [method, path, body] of strange)
    assert.equal((await ask(method, path, { as: other.jwt, body })).status, 404, `${method} ${path}`);
  assert.equal((await upload(`/sip/app/call/flow/${uuid}`, other.jwt, '<Response/>')).status, 404);
  assert.deepEqual((await ask('GET', '/sip/app', { as: other.jwt })).body.payload, []);
});

test('a number is searched, ordered, pointed at an app and given back', async () => {
  const { email, jwt } = await signedUp();
  const [tn] = await stock('212', 3);
  const found = await ask('POST', '/tn/search?take=2', { as: jwt, body: { pattern: '212*' } });
  assert.equal(found.status, 200, JSON.stringify(found.body));
  const page = found.body.payload as { total: number; data: Array<{ tn: number; mrc: number }> };
  assert.deepEqual([page.total, page.data.length, page.data[0]!.tn, page.data[0]!.mrc], [3, 2, tn, 1.5]);
  const one = await ask('POST', '/tn/search', { as: jwt, body: { pattern: '212%550101', state: 'ny' } });
  assert.equal((one.body.payload as { total: number }).total, 1);
  const order = { items: [{ tn, features: ['voice'] }] };
  assert.equal((await ask('POST', '/order', { as: jwt, body: order })).status, 402);
  assert.equal((await scene.db.selectFrom('lease').selectAll().execute()).length, 0, 'nothing is half ordered');
  await credit(email, 10);
  const made = await ask('POST', '/order', { as: jwt, body: order });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.deepEqual((made.body.payload as { state: string; success: number }).success, 1);
  const account = (await ask('GET', '/account', { as: jwt })).body.payload as { balance: number };
  assert.equal(account.balance, 8);
  const app = (await ask('POST', '/sip/app', { as: jwt, body: { name: 'Menu' } })).body.payload as { uuid: string };
  const pointed = await ask('PATCH', `/lease/tn/${tn}`, { as: jwt, body: { sip_control_app: app.uuid } });
  assert.equal(pointed.status, 200, JSON.stringify(pointed.body));
  const routed = await scene.db.selectFrom('number').selectAll().where('number', '=', String(tn)).executeTakeFirst();
  assert.equal(routed?.app_id, app.uuid);
  assert.equal((await ask('DELETE', `/sip/app/${app.uuid}`, { as: jwt })).status, 409);
  assert.equal((await ask('DELETE', `/lease/tn/${tn}`, { as: jwt })).status, 200);
  assert.equal((await ask('GET', `/lease/tn/${tn}`, { as: jwt })).status, 404);
  assert.equal((await scene.db.selectFrom('number').selectAll().where('number', '=', String(tn)).execute()).length, 0);
  const billed = (await ask('POST', '/transaction/search', { as: jwt })).body.payload as { data: unknown[] };
  assert.equal(billed.data.length, 2);
});

test('an order asked twice under one key is one order; what can’t be had is told by item', async () => {
  const { email, jwt } = await signedUp();
  await credit(email, 100);
  const [a, b] = await stock('213', 2);
  const key = { 'x-auth-token': jwt, 'idempotency-key': 'once' };
  const payload = { items: [{ tn: a }, { tn: 12135559999 }, { tn: a }, { tn: b, features: ['fax'] }] };
  const ordered = () => scene.http.inject({ method: 'POST', url: '/rest/order', headers: key, payload });
  const [first, again] = [(await ordered()).json(), (await ordered()).json()];
  assert.equal(first.payload.uuid, again.payload.uuid);
  assert.deepEqual([first.payload.success, first.payload.failed], [1, 3]);
  assert.deepEqual(first.payload.errors.map((e: { reason: string }) => e.reason).sort(), [
    'feature',
    'not-found',
    'twice',
  ]);
  const other = await signedUp();
  await credit(other.email, 100);
  const late = await ask('POST', '/order', { as: other.jwt, body: { items: [{ tn: a }] } });
  assert.deepEqual([late.status, late.body.success], [409, false]);
  assert.deepEqual(late.body.fields, { 'body.items.0.tn': { message: 'the number is leased', value: a } });
  const none = await ask('POST', '/order', { as: other.jwt, body: { items: [{ tn: 12135559999 }] } });
  assert.equal(none.status, 404);
  const { data } = (await ask('GET', '/order', { as: other.jwt })).body.payload as { data: Array<{ state: string }> };
  assert.deepEqual(
    data.map(({ state }) => state),
    ['failed', 'failed'],
  );
});

test('twenty who want the same number at once: one has it, and only that one pays', async () => {
  const [tn] = await stock('214', 1);
  const people = await Promise.all(Array.from({ length: 20 }, signedUp));
  await Promise.all(people.map(({ email }) => credit(email, 10)));
  const answers = await Promise.all(
    people.map(({ jwt }) => ask('POST', '/order', { as: jwt, body: { items: [{ tn }] } })),
  );
  const won = answers.filter(
    ({ status, body }) => status === 201 && (body.payload as { success: number }).success === 1,
  );
  assert.equal(won.length, 1, JSON.stringify(answers.map((a) => [a.status, a.body.message])));
  for (const { status } of answers) assert.ok(status === 201 || status === 409, String(status));
  const paid = await scene.db
    .selectFrom('account')
    .select('balance')
    .where(
      'email',
      'in',
      people.map((p) => p.email),
    )
    .execute();
  assert.equal(paid.filter(({ balance }) => Number(balance) !== 10).length, 1);
});

test('bad input names each field, and never is a fault of ours', async () => {
  const { jwt } = await signedUp();
  const none = await ask('POST', '/user', { body: { email: 'no address', password: 'short' } });
  assert.equal(none.status, 400);
  assert.ok('body.email' in none.body.fields, JSON.stringify(none.body));
  for (const [method, path, body] of [
    ['GET', "/sip/app/' or 1=1 --"],
    ['GET', '/sip/app/00000000-0000-0000-0000-000000000000'],
    ['POST', '/sip/app', { name: '' }],
    ['POST', '/sip/app', { name: 'x', call_flow_url: 'file:///etc/passwd' }],
    ['POST', '/token', { name: 'x', ttl: 1 }],
    ['POST', '/sip/app', 'not json'],
    ['PATCH', '/nothing'],
  ] as const) {
    const { status, body: said } = await ask(method, path, { as: jwt, body });
    assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`);
    assert.equal(said.success, false);
  }
});

test('the OpenAPI document holds every route, and says who may', async () => {
  const { paths, openapi } = (await scene.http.inject('/rest/openapi.json')).json();
  assert.equal(openapi, '3.1.0');
  assert.deepEqual(paths['/rest/user'].post.security, []);
  for (const path of ['/rest/auth', '/rest/token', '/rest/sip/app', '/rest/sip/app/{uuid}'])
    assert.ok(paths[path], `${path} of ${Object.keys(paths)}`);
});
