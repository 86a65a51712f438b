/** SIP connections, domains, switches, users, invites and groups over HTTP: ownership, credentials, what is refused while in use. */

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { passingSeal } from '../../database/sealing/seal.ts';
import { createDirectory } from '../../directory/directory.ts';
import { askerOf, type Thing } from '../../testing/asker.ts';
import { type Method, openRestScene, type RestScene } from '../../testing/scene.ts';

let scene: RestScene;
before(async () => {
  scene = await openRestScene({ signUpCredit: 100 });
});
after(() => scene.close());
const { ask, leased } = askerOf(() => scene);

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
  const onApp = (change: object) => ask(ann, 'POST', `/sip/app/${app.uuid}/tnlease`, change);
  await onApp({ add: [b.uuid] });
  await onApp({ remove: [b.uuid] });
  assert.deepEqual(goal(await ask<Lease>(ann, 'GET', `/lease/tn/${b.tn}`)), [null, null]);
  await onApp({ add: [b.uuid] });
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

const hex = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');
const ha1b = (login: string, domain: string, password: string, algorithm = 'md5') =>
  hex(algorithm, `${login}@${domain}:${domain}:${password}`);
type SipUser = Thing & { login: string; sip_domain: { domain: string }; groups: Thing[]; first_name: string | null };

test('a domain is one account’s on the whole platform, and stays while it has users or switches', async () => {
  const [ann, bob] = [await scene.signedUp(), await scene.signedUp()];
  const domain = 'ann.sip.example.test';
  const app = await ask<Thing>(ann, 'POST', '/sip/app', { name: 'Door' }, 201);
  const made = { domain: 'Ann.SIP.example.test', sip_control_app: app.uuid };
  assert.equal((await ask<{ domain: string }>(ann, 'POST', '/sip/domain', made, 201)).domain, domain);
  await ask(bob, 'POST', '/sip/domain', { domain }, 409);
  for (const wrong of ['10.0.0.1', 'localhost', 'a..b', 'x_y.test', `${'a'.repeat(64)}.test`, 'a.test:5060'])
    await ask(bob, 'POST', '/sip/domain', { domain: wrong }, 400);
  await ask(bob, 'POST', '/sip/domain', { domain: 'bob.example.test', sip_control_app: app.uuid }, 400);
  await ask(ann, 'DELETE', `/sip/app/${app.uuid}`, undefined, 409);
  const prefix = await ask<{ tech_prefix: number }>(ann, 'GET', `/sip/tech_prefix/13055550100/${domain}`);
  assert.ok(prefix.tech_prefix >= 100_000);
  await ask(bob, 'GET', `/sip/tech_prefix/13055550100/${domain}`, undefined, 404);
  const path = `/sip/domain/${domain}`;
  const fresh = { name: 'PBX', remote_ip: '192.0.2.9', remote_domain: 'pbx.example.test' };
  const one = await ask<Thing & { is_active: boolean }>(ann, 'POST', `${path}/switch`, fresh, 201);
  assert.equal(one.is_active, true);
  await ask(ann, 'POST', `${path}/switch`, fresh, 409);
  await ask(ann, 'POST', `${path}/switch`, { name: 'x', remote_ip: '192.0.2.999' }, 400);
  const refused = await ask<{ message: string }>(ann, 'DELETE', path, undefined, 409);
  assert.match(refused.message, /users or switches/);
  await ask(bob, 'GET', `${path}/switch`, undefined, 404);
  await ask(ann, 'PATCH', `${path}/switch/${one.uuid}`, { is_active: false });
  await ask(ann, 'DELETE', `${path}/switch/${one.uuid}`);
  await ask(ann, 'PATCH', path, { sip_control_app: null });
  await ask(ann, 'DELETE', path);
  await ask(ann, 'DELETE', `/sip/app/${app.uuid}`);
  await ask(bob, 'POST', '/sip/domain', { domain }, 201);
});

test('a SIP user is known by HA1B of either algorithm and by nothing else, and only where SIP users are', async () => {
  const ann = await scene.signedUp();
  const [domain, password] = ['users.example.test', 'open sesame, please'];
  await ask(ann, 'POST', '/sip/domain', { domain }, 201);
  const path = `/sip/domain/${domain}/user`;
  const user = await ask<SipUser>(ann, 'POST', path, { login: 'eva', password, first_name: 'Eva' }, 201);
  await ask(ann, 'POST', path, { login: 'eva', password }, 409);
  await ask(ann, 'POST', path, { login: 'e va', password }, 400);
  const asEva = (token: string, method: Method = 'GET', at = '/app', body?: unknown) =>
    scene.ask(method, at, { headers: { 'x-auth-ha1b-token': token }, body });
  const md5 = ha1b('eva', domain, password);
  for (const token of [md5, md5.toUpperCase(), ha1b('eva', domain, password, 'sha256')]) {
    const { status, body } = await asEva(token);
    assert.equal(status, 200, token);
    assert.deepEqual([(body.payload as SipUser).uuid, (body.payload as SipUser).login], [user.uuid, 'eva']);
  }
  assert.equal((await scene.ask('GET', `/app?ha1b=${md5}`)).status, 200);
  for (const token of [
    ha1b('eva', domain, 'x'),
    hex('md5', `eva:${domain}:${password}`),
    md5.slice(1),
    `${md5}0`,
    "' or 1=1",
  ])
    assert.equal((await asEva(token)).status, 401, token);
  assert.equal((await scene.ask('GET', '/app')).status, 401);
  assert.equal((await scene.ask('GET', '/app', { as: ann.jwt })).status, 401, 'an account’s token serves elsewhere');
  assert.equal((await asEva(md5, 'GET', '/sip/app')).status, 401, 'HA1B serves here alone');
  const kept = JSON.stringify(await scene.db.selectFrom('sip_user').selectAll().execute());
  const rows = await scene.db.selectFrom('sip_user').select('digests').execute();
  for (const secret of [password, md5, hex('md5', `eva:${domain}:${password}`)]) {
    assert.ok(!kept.includes(secret));
    assert.ok(!rows.some(({ digests }) => digests.includes(secret)));
  }
  await asEva(md5, 'PATCH', '/app', { last_name: 'Green', password: 'another one, then' });
  assert.equal((await asEva(md5)).status, 401, 'the password before serves no more');
  const now = ha1b('eva', domain, 'another one, then');
  for (const body of [{ is_active: false }, { login: 'x' }])
    assert.equal((await asEva(now, 'PATCH', '/app', body)).status, 400);
  const unchanged = await asEva(now, 'PATCH', '/app', { same_domain_calls_only: true });
  const { login, same_domain_calls_only } = unchanged.body.payload as SipUser & { same_domain_calls_only: boolean };
  assert.deepEqual([unchanged.status, login, same_domain_calls_only], [200, 'eva', false]);
  await ask(ann, 'PATCH', `${path}/${user.uuid}`, { login: 'eve' }, 400);
  const picture = await scene.upload(`/app/avatar?ha1b=${now}`, '', Buffer.from('89504e470d0a1a0a00', 'hex'));
  assert.equal(picture.status, 200, JSON.stringify(picture.body));
  const { avatar } = picture.body.payload as { avatar: string };
  const shown = await scene.http.inject(avatar);
  assert.deepEqual([shown.statusCode, shown.headers['content-type']], [200, 'image/png']);
  assert.equal((await scene.upload(`/app/avatar?ha1b=${now}`, '', 'no picture')).status, 400);
  assert.equal((await scene.upload(`/app/avatar?ha1b=${md5}`, '', 'x')).status, 401);
  await ask(ann, 'PATCH', `${path}/${user.uuid}`, { login: 'eve', password });
  assert.equal((await asEva(ha1b('eve', domain, password))).status, 200);
  await ask(ann, 'PATCH', `${path}/${user.uuid}`, { is_active: false });
  assert.equal((await asEva(ha1b('eve', domain, password))).status, 401, 'switched off');
});

test('HA1B is guessed ten times a minute from one address', async () => {
  for (let n = 0; n < 10; n++) {
    const headers = { 'x-auth-ha1b-token': hex('md5', String(n)) };
    assert.equal((await scene.ask('GET', '/app', { headers, from: '10.8.8.8' })).status, 401);
  }
  const headers = { 'x-auth-ha1b-token': hex('md5', 'x') };
  assert.equal((await scene.ask('GET', '/app', { headers, from: '10.8.8.8' })).status, 429);
});

test('an invite makes one user, once, until it expires; of twenty who use it at once one is made', async () => {
  const ann = await scene.signedUp();
  const [domain, password] = ['invites.example.test', 'open sesame, please'];
  await ask(ann, 'POST', '/sip/domain', { domain }, 201);
  const path = `/sip/domain/${domain}/invite`;
  const soon = new Date(Date.now() + 86_400_000).toISOString();
  type Invite = Thing & { token: string; used_on: string | null };
  const invite = (body: object, status = 201) => ask<Invite>(ann, 'POST', path, body, status);
  const { token, uuid } = await invite({ name: 'New colleague', expired_on: soon });
  assert.ok(token.length >= 32);
  await invite({ name: 'Old', expired_on: '2020-01-01T00:00:00.000Z' }, 400);
  await invite({ name: 'xy', expired_on: soon }, 400);
  const shown = await scene.ask('GET', `/app/invite/${token}`);
  assert.equal((shown.body.payload as { domain: string }).domain, domain);
  await ask(ann, 'POST', `/sip/domain/${domain}/user`, { login: 'taken', password }, 201);
  const use = (login: string) => scene.ask('POST', `/app/invite/${token}`, { body: { login, password } });
  assert.equal((await use('taken')).status, 409, 'it is not used up');
  const tries = await Promise.all(Array.from({ length: 20 }, (_, n) => use(`user${n}`)));
  assert.deepEqual(
    tries.map(({ status }) => status).filter((status) => status !== 404),
    [201],
  );
  assert.equal((await ask<SipUser[]>(ann, 'GET', `/sip/domain/${domain}/user`)).length, 2);
  assert.ok((await ask<Invite>(ann, 'GET', `${path}/${uuid}`)).used_on);
  assert.equal((await scene.ask('GET', `/app/invite/${token}`)).status, 404);
  const late = await invite({ name: 'Late', expired_on: soon });
  await scene.db
    .updateTable('sip_invite')
    .set({ expires_on: new Date(0) })
    .where('id', '=', late.uuid)
    .execute();
  assert.equal((await scene.ask('POST', `/app/invite/${late.token}`, { body: { login: 'l', password } })).status, 404);
  const rows = await scene.db.selectFrom('sip_invite').selectAll().execute();
  assert.ok(!JSON.stringify(rows).includes(token) && !rows.some((row) => row.token.includes(token)));
});

test('a SIP user has groups of users of the same domain; nobody else sees or changes them', async () => {
  const ann = await scene.signedUp();
  const password = 'open sesame, please';
  const user = async (domain: string, login: string) => {
    const { uuid } = await ask<SipUser>(ann, 'POST', `/sip/domain/${domain}/user`, { login, password }, 201);
    const headers = { 'x-auth-ha1b-token': ha1b(login, domain, password) };
    const asks = async <P>(method: Method, path: string, body?: unknown, status = 200) => {
      const answer = await scene.ask(method, path, { headers, body });
      assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
      return answer.body.payload as P;
    };
    return { uuid, asks };
  };
  for (const domain of ['one.example.test', 'two.example.test']) await ask(ann, 'POST', '/sip/domain', { domain }, 201);
  const [eva, max] = [await user('one.example.test', 'eva'), await user('one.example.test', 'max')];
  const stranger = await user('two.example.test', 'eva');
  type Group = Thing & { users: string[] };
  const group = await eva.asks<Group>('POST', '/app/group', { name: 'Team', users: [max.uuid] }, 201);
  await eva.asks('POST', '/app/group', { name: 'Team', users: [stranger.uuid] }, 400);
  assert.equal((await eva.asks<Group[]>('GET', '/app/group')).length, 1, 'what was refused is not made');
  const path = `/app/group/${group.uuid}`;
  for (const other of [max, stranger]) {
    await other.asks('GET', `${path}/users`, undefined, 404);
    await other.asks('PATCH', path, { name: 'Theirs' }, 404);
    await other.asks('DELETE', path, undefined, 404);
  }
  await eva.asks('PATCH', `${path}/users/${stranger.uuid}`, undefined, 400);
  const both = await eva.asks<Group>('PATCH', `${path}/users/${eva.uuid}`);
  assert.deepEqual(new Set(both.users), new Set([eva.uuid, max.uuid]));
  await eva.asks('POST', `${path}/users`, { users: [max.uuid] });
  assert.deepEqual((await max.asks<SipUser>('GET', '/app')).groups, [{ uuid: group.uuid, name: 'Team' }]);
  await eva.asks('DELETE', `${path}/users/${max.uuid}`);
  await eva.asks('DELETE', `${path}/users/${max.uuid}`, undefined, 404);
  assert.equal((await eva.asks<SipUser[]>('GET', '/app/users')).length, 2);
  await eva.asks('DELETE', path);
});

test('a number that is leased and points nowhere is its lessee’s: no domain of others takes its calls', async () => {
  const [ann, bob] = [await scene.signedUp(), await scene.signedUp()];
  const { tn } = await leased(ann, '216');
  const directory = createDirectory(scene.db, passingSeal(), undefined, 1);
  const via = (host: string) =>
    directory.route({ user: String(tn), host, fromUser: '1', sourceAddress: '198.51.100.1', callId: 'c' } as never);
  for (const [who, domain] of [
    [ann, 'ann.lease.example.test'],
    [bob, 'bob.lease.example.test'],
  ] as const) {
    const app = await ask<Thing>(who, 'POST', '/sip/app', { name: 'Door' }, 201);
    await ask(who, 'POST', '/sip/domain', { domain, sip_control_app: app.uuid }, 201);
  }
  await assert.rejects(via('bob.lease.example.test'), /nobody owns/);
  assert.equal((await via('ann.lease.example.test')).accountId, ann.accountId);
});

test('whose a call is and what it came by is answered with where it goes', async () => {
  const ann = await scene.signedUp();
  const host = 'told.example.test';
  const app = await ask<Thing>(ann, 'POST', '/sip/app', { name: 'Door', shaken_verify_policy: 2 }, 201);
  const connection = await ask<Thing>(
    ann,
    'POST',
    '/sip/connection',
    { name: 'PBX', hostname: 'pbx.example.test' },
    201,
  );
  const { tn, uuid: lease } = await leased(ann, '217');
  await ask(ann, 'PATCH', `/lease/tn/${tn}`, { sip_control_app: app.uuid });
  await ask(ann, 'PATCH', '/account', { city: 'Bonn', phone: '123' });
  await ask(ann, 'POST', '/sip/domain', { domain: host, sip_connection: connection.uuid }, 201);
  const directory = createDirectory(scene.db, passingSeal(), undefined, 1);
  const told = async (user: string, to: string, from = '198.51.100.1') =>
    (await directory.route({ user, host: to, fromUser: '1', sourceAddress: from, callId: 'c' } as never)).attribution!;

  const byNumber = await told(String(tn), '127.0.0.1');
  const { account } = byNumber;
  assert.deepEqual([account?.city, account?.phone, account?.address1], ['Bonn', '123', undefined]);
  assert.equal(byNumber.app?.shakenVerifyPolicy, 2);
  assert.deepEqual([byNumber.number?.number, byNumber.number?.lease?.leaseId], [String(tn), lease]);
  assert.deepEqual(Object.keys(byNumber).sort(), ['account', 'app', 'number'], 'it came by nothing else');

  const user = await ask<Thing>(
    ann,
    'POST',
    `/sip/domain/${host}/user`,
    { login: 'eva', password: 'secret-of-eva' },
    201,
  );
  const stranger = await told('eva', host);
  assert.deepEqual(
    [stranger.domain?.domain, stranger.user?.userId, stranger.connection?.connectionId, stranger.switch],
    [host, user.uuid, connection.uuid, undefined],
  );
  assert.equal(stranger.connection?.hostname, 'pbx.example.test');
  const by = await ask<Thing>(
    ann,
    'POST',
    `/sip/domain/${host}/switch`,
    { name: 'Ours', remote_ip: '198.51.100.2' },
    201,
  );
  const known = await told('nobody', host, '198.51.100.2:5060');
  assert.deepEqual([known.switch?.switchId, known.switch?.remoteIp, known.user], [by.uuid, '198.51.100.2', undefined]);
});

test('an account has as many things as a list shows, a domain too', async () => {
  const ann = await scene.signedUp();
  const app = { name: 'Full', account_id: ann.accountId, call_flow_url: '', static_document: '' };
  const many = Array.from({ length: 999 }, () => ({ ...app, id: randomUUID(), signing_key: Buffer.alloc(32) }));
  await scene.db
    .insertInto('app')
    .values(many as never)
    .execute();
  const tries = Array.from({ length: 4 }, () => scene.ask('POST', '/sip/app', { as: ann.jwt, body: { name: 'x' } }));
  const answers = await Promise.all(tries);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409], 'together, too');
  assert.match(answers.find(({ status }) => status === 409)!.body.message, /has 1000 of them/);
  await ask(ann, 'POST', '/sip/connection', { name: 'PBX', ip: '192.0.2.7' }, 201);
  await ask(ann, 'POST', '/sip/domain', { domain: 'full.example.test' }, 201);
  const row = await scene.db
    .selectFrom('sip_domain')
    .select('id')
    .where('domain', '=', 'full.example.test')
    .executeTakeFirstOrThrow();
  const invite = { domain_id: row.id, name: 'Many', token: Buffer.alloc(1), expires_on: new Date(), used_on: null };
  const invites = Array.from({ length: 1000 }, () => {
    const id = randomUUID();
    return { ...invite, id, token_lookup: Buffer.from(id) };
  });
  await scene.db.insertInto('sip_invite').values(invites).execute();
  const one = { name: 'Many', expired_on: new Date(Date.now() + 86_400_000).toISOString() };
  const refused = await ask<{ message: string }>(ann, 'POST', '/sip/domain/full.example.test/invite', one, 409);
  assert.match(refused.message, /this domain has 1000/);
});

test('a picture is an address of the web; a new password ends the mails that would change it', async () => {
  const ann = await scene.signedUp();
  await ask(ann, 'POST', '/sip/domain', { domain: 'reset.example.test' }, 201);
  const path = '/sip/domain/reset.example.test/user';
  const { uuid } = await ask<Thing>(ann, 'POST', path, { login: 'ann', password: 'a fine password' }, 201);
  await ask(ann, 'PATCH', `${path}/${uuid}`, { avatar: 'javascript:alert(1)' }, 400);
  await ask(ann, 'PATCH', `${path}/${uuid}`, { avatar: 'https://pictures.example/a.png' });
  const expires_on = new Date(Date.now() + 1e6);
  const resets = [
    { person_id: null, sip_user_id: uuid, digest: Buffer.from(uuid), expires_on },
    { person_id: ann.uuid, sip_user_id: null, digest: Buffer.from(ann.uuid), expires_on },
  ];
  await scene.db.insertInto('password_reset').values(resets).execute();
  const left = async () => (await scene.db.selectFrom('password_reset').selectAll().execute()).length;
  await ask(ann, 'PATCH', `${path}/${uuid}`, { first_name: 'Ann' });
  await ask(ann, 'PATCH', `/user/${ann.uuid}`, { first_name: 'Ann' });
  assert.equal(await left(), 2);
  await ask(ann, 'PATCH', `${path}/${uuid}`, { password: 'a finer password' });
  assert.equal(await left(), 1);
  await ask(ann, 'PATCH', `/user/${ann.uuid}`, { password: 'a finer password' });
  assert.equal(await left(), 0);
});
