/** The Directory over real gRPC from a real database, and the HTTP side. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { credentials, status } from '@grpc/grpc-js';
import { DirectoryV1 } from '@opentact/proto';
import { closeGrpc, createGrpcServer, createLogger, listenGrpc, serveHealth } from '@opentact/runtime';
import { VOICES } from '@opentact/voices';
import type { FastifyPluginAsync } from 'fastify';
import { sql } from 'kysely';
import { type Database, openDatabase } from './database/database.ts';
import { passingSeal } from './database/sealing/seal.ts';
import { type TestDatabase, testDatabase } from './database/testing/test-database.ts';
import { type Demo, seedDemo, seedTrunk } from './demo/seed.ts';
import { dictionaries } from './dictionaries/rest/dictionaries.ts';
import { createDirectory } from './directory/directory.ts';
import { screen } from './directory/screening.ts';
import { addDirectory } from './directory/service.ts';
import { digitsOf } from './kernel/digits.ts';
import { checksOf, createHttp } from './rest/http.ts';

const dictionariesOnly: FastifyPluginAsync = async (http) => void http.register(dictionaries, { prefix: '/dict' });
const log = createLogger({ service: 't', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const demo: Demo = {
  accountId: randomUUID(),
  appId: randomUUID(),
  email: 'demo@opentact.test',
  password: 'p',
  apiKey: 'k',
  signingKey: 'sign',
  number: '18005550100',
  customerUrl: 'http://127.0.0.1:8090/callback',
  callee: '1000@127.0.0.1:5070',
  groupId: randomUUID(),
};
let home: string;
let database: TestDatabase;
let db: Database;
let client: DirectoryV1.DirectoryClient;
const grpc = createGrpcServer();
const seal = passingSeal();

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-api-'));
  database = await testDatabase(home);
  db = openDatabase(database.url);
  await seedDemo(db, demo, seal);
  await seedDemo(db, { ...demo, callee: '1000@127.0.0.1:5999' }, seal); // a second start, on another port
  addDirectory(grpc, createDirectory(db, seal, demo.appId, 0), log);
  await listenGrpc(grpc, `unix:${join(home, 'run/directory.grpc')}`);
  client = new DirectoryV1.DirectoryClient(`unix:${join(home, 'run/directory.grpc')}`, credentials.createInsecure());
});
after(async () => {
  client.close();
  await closeGrpc(grpc, 100);
  await db.destroy();
  await database.close();
  await rm(home, { recursive: true });
});

const ask = <Q, A>(
  method: (q: Q, done: (error: Error | null, answer: A) => void) => unknown,
  question: Q,
): Promise<A> =>
  new Promise((done, failed) => {
    method.call(client, question, (error, answer) => (error ? failed(error) : done(answer)));
  });
const route = (user: string, over: Partial<DirectoryV1.RouteRequest> = {}) =>
  ask<DirectoryV1.RouteRequest, DirectoryV1.RouteResponse>(client.route, {
    user,
    host: '127.0.0.1',
    fromUser: '15551234567',
    sourceAddress: '127.0.0.1:5080',
    callId: 'call-1',
    ...over,
  });

test('the demo number leads to the demo app and its document', async () => {
  for (const user of ['18005550100', '+18005550100', '+1 (800) 555-0100']) {
    const found = await route(user);
    assert.equal(found.accountId, demo.accountId);
    assert.equal(found.app!.appId, demo.appId);
    assert.equal(found.app!.autoAnswer, true);
    assert.equal(found.app!.maxCallLengthMs, 14_400_000);
    assert.match(found.app!.staticDocument, /<Sip>1000@127\.0\.0\.1:5999<\/Sip>/);
    assert.match(found.app!.staticDocument, /<Callback url="http:\/\/127\.0\.0\.1:8090\/callback"\/>/);
    assert.deepEqual([found.refusal, found.trunk, found.ownNumbers], [undefined, '', ['18005550100']]);
    assert.equal(found.forEveryCaller, true);
  }
});

test('what an app sets of its legs’ media is told with it, and nothing where it sets none', async () => {
  const { app } = await route(demo.number);
  assert.deepEqual([app!.silenceMs, app!.rtpFromAnywhere], [undefined, undefined]);
  const set = (silence_ms: number | null, rtp_from_anywhere: boolean) =>
    db.updateTable('app').set({ silence_ms, rtp_from_anywhere }).where('id', '=', demo.appId).execute();
  await set(120_000, true);
  const changed = (await route(demo.number)).app!;
  await set(null, false);
  assert.deepEqual([changed.silenceMs, changed.rtpFromAnywhere], [120_000, true]);
});

test('nobody’s number is not found', async () => {
  for (const user of ['18005550199', 'bob', '', "1'; drop table number"])
    await assert.rejects(route(user), { code: status.NOT_FOUND });
});

test('a caller on the blacklist, or not on a whitelist, is refused', async () => {
  const { number, accountId } = demo;
  const profile = { id: randomUUID(), account_id: accountId, name: 'Screened' };
  await db.insertInto('tn_profile').values(profile).execute();
  await db
    .insertInto('inventory')
    .values({ tn: number, country: 'US', features: ['voice'] })
    .execute();
  const tn_profile_id = profile.id;
  const always = { autorenew: true, expires_on: new Date(Date.now() + 1e9), released_on: null };
  const lease = { ...always, id: randomUUID(), tn: number, account_id: accountId, order_id: null, app_id: demo.appId };
  await db
    .insertInto('lease')
    .values({ ...lease, tn_profile_id, features: ['voice'] })
    .execute();
  const put = (list: 'blacklist' | 'whitelist', ...callers: string[]) =>
    db
      .insertInto('tn_profile_caller')
      .values(callers.map((caller) => ({ profile_id: profile.id, list, caller })))
      .execute();
  await put('blacklist', '1555*');
  const refused = await route(number);
  assert.match(refused.refusal!, /blacklist/);
  assert.equal(refused.forEveryCaller, false);
  assert.equal((await route(number, { fromUser: '+4420' })).refusal, undefined);
  assert.equal((await route(number, { fromUser: '4420', callerWithheld: true })).refusal, undefined);
  await put('whitelist', '442071');
  assert.match((await route(number, { fromUser: '4420' })).refusal!, /whitelist/);
  assert.equal((await route(number, { fromUser: '+44 20 71' })).refusal, undefined);
  assert.match((await route(number, { fromUser: '442071', callerWithheld: true })).refusal!, /withholds/);
  await db.updateTable('lease').set({ tn_profile_id: null }).execute();
  assert.equal((await route(number)).refusal, undefined);
  await db.deleteFrom('lease').execute();
});

test('a number on a connection leads to the customer’s own equipment; what is switched off says so', async () => {
  const id = randomUUID();
  const own = { id, account_id: demo.accountId, name: 'PBX', outbound_voice_profile_id: null };
  await db
    .insertInto('sip_connection')
    .values({ ...own, ip: '192.0.2.7', hostname: null, port: 5080 })
    .execute();
  const number = { number: '18005550177', account_id: demo.accountId, app_id: null, connection_id: id };
  await db.insertInto('number').values(number).execute();
  const found = await route('+18005550177');
  assert.deepEqual([found.accountId, found.app!.appId, found.app!.autoAnswer], [demo.accountId, id, false]);
  assert.match(found.app!.staticDocument, /<Sip>18005550177@192\.0\.2\.7:5080<\/Sip>/);
  assert.equal(found.inactive, undefined);
  await db.updateTable('sip_connection').set({ is_active: false }).execute();
  assert.equal((await route('18005550177')).inactive, true);
  await db.deleteFrom('number').where('connection_id', '=', id).execute();
  await assert.rejects(route('18005550177'), { code: status.NOT_FOUND });
  const active = (is_active: boolean) => db.updateTable('app').set({ is_active }).execute();
  await active(false);
  assert.equal((await route(demo.number)).inactive, true);
  await active(true);
});

test('a domain leads to its app for everybody, and only its switches go on to its connection or out', async () => {
  const [connection, profile, domain, other] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const account_id = demo.accountId;
  const nowhere = { app_id: null, connection_id: null, outbound_voice_profile_id: null };
  const pbx = { id: connection, account_id, name: 'PBX', outbound_voice_profile_id: null, hostname: null, port: 5080 };
  await db
    .insertInto('sip_connection')
    .values({ ...pbx, ip: '192.0.2.7' })
    .execute();
  await db
    .insertInto('outbound_voice_profile')
    .values({ id: profile, account_id, name: 'Out', tn_lease_id: null })
    .execute();
  await db
    .insertInto('sip_domain')
    .values({ ...nowhere, id: domain, account_id, domain: 'pbx.example.test', app_id: demo.appId })
    .execute();
  const at = (user: string, sourceAddress = '198.51.100.1:5060', host = 'PBX.example.test') =>
    route(user, { host, sourceAddress });
  assert.equal((await at('anything')).app!.appId, demo.appId);
  assert.equal((await at('anything')).refusal, undefined);
  await assert.rejects(at('anything', '198.51.100.1', 'nobody.example.test'), { code: status.NOT_FOUND });
  const go = (to: object) =>
    db
      .updateTable('sip_domain')
      .set({ ...nowhere, ...to })
      .execute();
  await go({ connection_id: connection });
  assert.match((await at('bob')).refusal!, /no switch of this domain/);
  const authorised = { id: randomUUID(), domain_id: domain, name: 'S', remote_ip: '198.51.100.1' };
  await db.insertInto('sip_switch').values(authorised).execute();
  const sent = await at("bob'&<x>");
  assert.equal(sent.refusal, undefined);
  assert.match(sent.app!.staticDocument, /<Sip>bob&apos;&amp;&lt;x&gt;@192\.0\.2\.7:5080<\/Sip>/);
  assert.match((await at('bob', '198.51.100.2:5060')).refusal!, /no switch/);
  assert.match((await at('bob', '2001:db8::1')).refusal!, /no switch/);
  await db.updateTable('sip_switch').set({ is_active: false }).execute();
  assert.match((await at('bob')).refusal!, /no switch/);
  await db.updateTable('sip_switch').set({ is_active: true }).execute();
  await go({ outbound_voice_profile_id: profile });
  assert.match((await at('+12125550100')).refusal!, /no leased number/, 'nobody is shown what the switch made up');
  const tn = '19995550188';
  const lease = { id: randomUUID(), tn, account_id, features: ['voice'], autorenew: true, expires_on: new Date() };
  await db
    .insertInto('inventory')
    .values({ tn, country: 'US', features: ['voice'] } as never)
    .execute();
  await db
    .insertInto('lease')
    .values(lease as never)
    .execute();
  await db.updateTable('outbound_voice_profile').set({ tn_lease_id: lease.id }).where('id', '=', profile).execute();
  const outward = await at('+12125550100');
  assert.equal(outward.refusal, undefined);
  assert.match(outward.app!.staticDocument, /from="19995550188"><Number>12125550100<\/Number>/);
  await assert.rejects(at('bob'), { code: status.NOT_FOUND });
  const way = { host: '192.0.2.9', port: 5060, transport: 'udp', user: '', password: '' };
  await db
    .insertInto('trunk')
    .values({ id: 'own', account_id, ...way })
    .execute();
  const out = () =>
    ask<DirectoryV1.ReserveRequest, DirectoryV1.ReserveResponse>(client.reserve, {
      leg: `${randomUUID().slice(0, -4)}0001`,
      accountId: account_id,
      appId: profile,
      called: '12125550100',
    });
  assert.notEqual((await out()).refusal, 'inactive');
  await db.updateTable('outbound_voice_profile').set({ is_active: false }).execute();
  assert.equal((await out()).refusal, 'inactive', 'the profile of the domain limits what goes out by it');
  await db.deleteFrom('outbound_leg').execute();
  await db.deleteFrom('trunk').execute();
  // Somebody else's number stays theirs, by whatever name it is called.
  await db.insertInto('account').values({ id: other, name: 'Other', calls_max: 1, dials_per_minute_max: 1 }).execute();
  await db
    .updateTable('sip_domain')
    .set({ ...nowhere, account_id: other })
    .execute();
  assert.equal((await at(demo.number)).accountId, demo.accountId);
  for (const table of ['sip_switch', 'sip_domain', 'outbound_voice_profile', 'sip_connection'] as const)
    await db.deleteFrom(table).execute();
});

test('the seeded trunk serves the operator’s account and those it was given to, and goes with its variable', async () => {
  await seedTrunk(db, { user: 'u', password: 'p', host: 'sip.example', port: 5062 }, seal);
  const found = await route(demo.number);
  assert.deepEqual([found.trunk, found.trunkUri], ['seeded', 'sip.example:5062']);
  const trunk = await ask<DirectoryV1.TrunkRequest, DirectoryV1.TrunkResponse>(client.trunk, { trunk: 'seeded' });
  assert.deepEqual([trunk.user, trunk.password, trunk.transport], ['u', 'p', 'udp']);
  const stranger = randomUUID();
  await db
    .insertInto('account')
    .values({ id: stranger, name: 'S', calls_max: 1, dials_per_minute_max: 1, balance: '10' })
    .execute();
  const trunkOf = async () =>
    (await ask<DirectoryV1.AccountRequest, DirectoryV1.AccountResponse>(client.account, { accountId: stranger })).trunk;
  const out = async () => {
    const leg = `${randomUUID().slice(0, -4)}0001`;
    const asked = { leg, accountId: stranger, appId: '', called: '12125550100' };
    return (await ask<DirectoryV1.ReserveRequest, DirectoryV1.ReserveResponse>(client.reserve, asked)).refusal;
  };
  assert.deepEqual([await trunkOf(), await out()], ['', 'no-trunk']);
  await db.insertInto('trunk_account').values({ trunk_id: 'seeded', account_id: stranger }).execute();
  assert.deepEqual([await trunkOf(), await out()], ['seeded', '']);
  await seedTrunk(db, undefined, seal);
  assert.equal(await trunkOf(), '');
  await db.deleteFrom('outbound_leg').where('account_id', '=', stranger).execute();
  await db.deleteFrom('account').where('id', '=', stranger).execute();
  assert.equal((await route(demo.number)).trunk, '');
  await assert.rejects(ask(client.trunk as never, { trunk: 'seeded' }), { code: status.NOT_FOUND });
});

test('a staged document is dialled once, within its time, and a repeated INVITE is the same dialling', async () => {
  const stage = (xml: string) =>
    ask<DirectoryV1.StageRequest, DirectoryV1.StageResponse>(client.stage, { xml, autoAnswer: true });
  const { user, expires } = await stage('<Response/>');
  assert.match(user, /^doc-[0-9a-f]{32}$/);
  assert.ok(Math.abs(expires - Date.now() - 60_000) < 5000);
  assert.equal((await route(user)).app!.staticDocument, '<Response/>');
  assert.equal((await route(user)).app!.autoAnswer, true);
  // It is the demo's, whatever other apps there are: no customer pays for it, or finds it in a log.
  assert.equal((await route(user)).app!.appId, demo.appId);
  assert.equal((await route(user)).accountId, demo.accountId);
  await assert.rejects(route(user, { callId: 'call-2' }), { code: status.NOT_FOUND });
  const late = await stage('<Response/>');
  await db.updateTable('staged_document').set({ expires_at: sql<Date>`now()` }).where('user', '=', late.user).execute();
  await assert.rejects(route(late.user), { code: status.NOT_FOUND });
  await assert.rejects(stage('x'.repeat(65_537)), { code: status.INVALID_ARGUMENT });
  const closed = createDirectory(db, seal, undefined);
  await assert.rejects(closed.stage({ xml: '<Response/>', autoAnswer: false }), { code: 'FAILED_PRECONDITION' });
});

test('an app without any document is routed: its calls are parked by the flow', async () => {
  const appId = randomUUID();
  const { signing_key } = await db.selectFrom('app').select('signing_key').executeTakeFirstOrThrow();
  const app = { id: appId, account_id: demo.accountId, name: 'Parked', auto_answer: false, call_flow_url: '' };
  const more = { call_flow_method: 'GET', call_flow_timeout_ms: 0, static_document: '', max_call_length_ms: 1 };
  await db
    .insertInto('app')
    .values({ ...app, ...more, signing_key })
    .execute();
  await db.insertInto('number').values({ number: '18005550101', account_id: demo.accountId, app_id: appId }).execute();
  const found = (await route('18005550101')).app!;
  assert.deepEqual([found.appId, found.callFlowUrl, found.staticDocument], [appId, '', '']);
});

test('an app has its account’s time zone, which is one', async () => {
  assert.equal((await route(demo.number)).app!.timeZone, 'UTC');
  const set = (time_zone: string) => db.updateTable('account').set({ time_zone }).execute();
  await set('America/New_York');
  assert.equal((await route(demo.number)).app!.timeZone, 'America/New_York');
  await assert.rejects(set('America/Nowhere'), /time zone/);
  // PostgreSQL knows it, nobody else does.
  await set('FOO3');
  assert.equal((await route(demo.number)).app!.timeZone, '');
  await set('UTC');
});

const locate = (number: string) =>
  ask<DirectoryV1.LocateRequest, DirectoryV1.LocateResponse>(client.locate, { number });

test('a number’s home is its exchange’s, else its area code’s', async () => {
  assert.deepEqual(await locate('12125550199'), { state: 'NY', county: 'NEW YORK' });
  assert.deepEqual(await locate('+1 212 555 0199'), { state: 'NY', county: 'NEW YORK' });
  assert.deepEqual(await locate('2135550199'), { state: 'CA', county: 'LOS ANGELES' });
  assert.deepEqual(await locate('12127360000'), { state: 'NY', county: '' });
  for (const number of ['18005550100', '442071234567', '123'])
    assert.deepEqual(await locate(number), { state: '', county: '' });
  for (const number of ['', 'anonymous', "1'; drop table numbering"])
    await assert.rejects(locate(number), { code: status.INVALID_ARGUMENT });
});

const group = (id: string, accountId = demo.accountId) =>
  ask<DirectoryV1.GroupRequest, DirectoryV1.GroupResponse>(client.group, { group: id, accountId });

test('a group rings its members in their order, for its own account only', async () => {
  assert.deepEqual((await group(demo.groupId)).targets, ['sip:1000@127.0.0.1:5999']);
  await db
    .insertInto('ring_group_member')
    .values([2, 1].map((position) => ({ group_id: demo.groupId, position, target: `tel:1800555010${position}` })))
    .execute();
  const rung = ['sip:1000@127.0.0.1:5999', 'tel:18005550101', 'tel:18005550102'];
  assert.deepEqual((await group(demo.groupId.toUpperCase())).targets, rung);
  await db.insertInto('ring_group').values({ id: demo.appId, account_id: demo.accountId, name: 'Nobody' }).execute();
  assert.deepEqual((await group(demo.appId)).targets, []);
  await db
    .insertInto('account')
    .values({ id: demo.appId, name: 'Another', calls_max: 1, dials_per_minute_max: 1 })
    .execute();
  for (const [id, account] of [[demo.groupId, demo.appId], [randomUUID()], [demo.groupId, ''], ['x'], ['']] as const)
    await assert.rejects(group(id, account), { code: status.NOT_FOUND });
  for (const target of ['http://h', 'sip:a@h\r\nX: y', 'sip:nobody', 'tel:+1'])
    await assert.rejects(
      db.insertInto('ring_group_member').values({ group_id: demo.groupId, position: 3, target }).execute(),
      /violates check/,
    );
});

test('an app’s signing key is told, a stranger’s is not found', async () => {
  const key = (appId: string) =>
    ask<DirectoryV1.SigningKeyRequest, DirectoryV1.SigningKeyResponse>(client.signingKey, { appId });
  assert.equal((await key(demo.appId)).key.toString(), 'sign');
  for (const id of ['', 'x', randomUUID()]) await assert.rejects(key(id), { code: status.NOT_FOUND });
});

test('numbers are compared by their digits', () => {
  assert.equal(digitsOf('+1-800.555 0100;phone-context=x'), '18005550100');
  for (const text of ['12', 'bob', '+', '1'.repeat(21)]) assert.equal(digitsOf(text), undefined);
});

test('on a list % stands for one digit and * for any rest; a whitelist comes first, then the blacklist', () => {
  const black = (caller: string, from: string) => screen(from, false, [{ list: 'blacklist', caller }]) !== undefined;
  assert.ok(black('1305555%%%%', '+1 305 555 0100'));
  assert.ok(!black('1305555%%%%', '1305555010'));
  assert.ok(black('1305*', '1305') && black('1305%*', '13055') && !black('1305%*', '1305'));
  assert.ok(black('13055550100', '+13055550100') && !black('1305555010', '13055550100'));
  assert.ok(black('*', 'bob') && black('*', ''));
  const both = [
    { list: 'whitelist', caller: '1305*' },
    { list: 'blacklist', caller: '13055550100' },
  ] as const;
  assert.match(screen('12125550100', false, both)!, /not on the whitelist/);
  assert.match(screen('13055550100', false, both)!, /on the blacklist/);
  assert.equal(screen('13055550101', false, both), undefined);
});

test('ready gathers the services; one of two engines is enough', async (t) => {
  const path = (name: string) => join(home, 'run', `${name}.health`);
  let fault: string | undefined = 'no port free';
  const media = await serveHealth(path('media'), { ports: () => fault });
  const engine = await serveHealth(path('flow-engine-2'), {});
  const names = ['media', 'flow-engine-1', 'flow-engine-2', 'sip-edge'];
  const checks = checksOf(names.map((name) => `${name}=${path(name)}`));
  const recordings = join(home, 'recordings');
  await mkdir(recordings);
  const id = randomUUID();
  await writeFile(join(recordings, `${id}.wav`), 'RIFF');
  const http = createHttp({ checks, recordings, token: 'tok', rest: dictionariesOnly });
  t.after(() => Promise.all([http.close(), media.close(), engine.close()]));
  const no = await http.inject('/ready');
  assert.equal(no.statusCode, 503);
  assert.deepEqual(no.json().checks, {
    media: 'media (ports: no port free)',
    'flow-engine': 'ok',
    'sip-edge': 'sip-edge (process: ENOENT)',
  });
  fault = undefined;
  const edge = await serveHealth(path('sip-edge'), {});
  t.after(() => edge.close());
  assert.equal((await http.inject('/ready')).statusCode, 200);
  const get = (url: string, token = 'tok') => http.inject({ url, headers: { authorization: `Bearer ${token}` } });
  assert.equal((await get(`/recordings/${id}.wav`)).body, 'RIFF');
  assert.equal((await get(`/recordings/${id}.wav`, 'no')).statusCode, 401);
  for (const name of ['..%2f..%2fsecret', 'x.wav', randomUUID()])
    assert.equal((await get(`/recordings/${name}`)).statusCode, 404);
});

test('the voices that speak are listed in the envelope of the REST API', async (t) => {
  const http = createHttp({ checks: {}, recordings: home, token: undefined, rest: dictionariesOnly });
  t.after(() => http.close());
  const listed = await http.inject('/rest/dict/gtts');
  assert.equal(listed.statusCode, 200);
  const { success, payload } = listed.json();
  assert.equal(success, true);
  assert.deepEqual(
    payload.map(({ uuid, ...voice }: { uuid: string }) => voice),
    VOICES,
  );
  const uuids = payload.map(({ uuid }: { uuid: string }) => uuid);
  for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(uuids).size, VOICES.length);
});
