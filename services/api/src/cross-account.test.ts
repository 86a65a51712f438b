/**
 * What one account has, no other sees, changes or names: for every route of the OpenAPI document with a parameter in its
 * path, every list and every body with a uuid. A new route needs a line in one of the tables here; its name is told. A
 * resource with an example (`rest/resource.ts`) is tried by that.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import type { Engine } from './calls/engine.ts';
import { type Operation, operationsOf, readDocument } from './reference/document.ts';
import { isReading } from './reference/reads.ts';
import {
  DOCUMENT,
  type ExampledResource,
  engineOf,
  exampledResources,
  PNG,
  type Possessions,
  possess,
} from './testing/possessions.ts';
import { type Answer, type Method, openRestScene, type RestScene } from './testing/scene.ts';

/** `in`: the parameters of the path. */
type Asked = { in?: Record<string, string>; query?: string; body?: unknown; file?: string | Buffer };
type Case = (of: Possessions) => Asked;

const SOON = new Date(Date.now() + 86_400_000).toISOString();

/** Routes with a parameter in their path: what their account asks. The other account is answered 404. */
const ONE: Record<string, Case> = {
  AddSIPUserToSIPUserGroupApp: ({ group, sipUser }) => ({ in: { uuid: group, sip_user_uuid: sipUser } }),
  AddSIPUsersToSIPUserGroupApp: ({ group, sipUser }) => ({ in: { uuid: group }, body: { users: [sipUser] } }),
  CreateSIPSwitch: ({ domain }) => ({ in: { domain }, body: { name: 'x', remote_ip: '192.0.2.8' } }),
  CreateSIPUser: ({ domain }) => ({ in: { domain }, body: { login: 'x', password: 'x'.repeat(8) } }),
  CreateSIPUserInvite: ({ domain }) => ({ in: { domain }, body: { name: 'Theirs', expired_on: SOON } }),
  GetSIPDomainByDomainName: ({ domain }) => ({ in: { domain } }),
  GetSIPSwitchByUUID: ({ domain, switch: uuid }) => ({ in: { domain, uuid } }),
  GetSIPUserByUUID: ({ domain, sipUser }) => ({ in: { domain, uuid: sipUser } }),
  GetSIPUserGroupUsersApp: ({ group }) => ({ in: { uuid: group } }),
  GetSIPUserInviteByUUID: ({ domain, invite }) => ({ in: { domain, uuid: invite } }),
  GetTechPrefixRoute: ({ bareDomain }) => ({ in: { tn: '13055550100', domain: bareDomain } }),
  ListSIPSwitchesBySIPDomainUUID: ({ domain }) => ({ in: { domain } }),
  ListSIPUserInvites: ({ domain }) => ({ in: { domain } }),
  ListSIPUsersBySIPDomainUUID: ({ domain }) => ({ in: { domain } }),
  ModifySIPDomainByDomainName: ({ domain }) => ({ in: { domain }, body: { sip_control_app: null } }),
  ModifySIPSwitch: ({ domain, switch: uuid }) => ({ in: { domain, uuid }, body: { is_active: false } }),
  ModifySIPUser: ({ domain, sipUser }) => ({ in: { domain, uuid: sipUser }, body: { first_name: 'Eve' } }),
  ModifySIPUserGroupApp: ({ group }) => ({ in: { uuid: group }, body: { name: 'Theirs' } }),
  ModifySIPUserInvite: ({ domain, invite }) => ({ in: { domain, uuid: invite }, body: { name: 'Theirs' } }),
  RemoveSIPDomainByDomainName: ({ bareDomain }) => ({ in: { domain: bareDomain } }),
  RemoveSIPSwitchByUUID: ({ domain, switch: uuid }) => ({ in: { domain, uuid } }),
  RemoveSIPUserByUUID: ({ domain, sipUser }) => ({ in: { domain, uuid: sipUser } }),
  RemoveSIPUserFromSIPUserGroupApp: ({ group, sipUser }) => ({ in: { uuid: group, sip_user_uuid: sipUser } }),
  RemoveSIPUserGroupApp: ({ group }) => ({ in: { uuid: group } }),
  RemoveSIPUserInviteByUUID: ({ domain, invite }) => ({ in: { domain, uuid: invite } }),
  AssignTNLeasesToSIPControlApp: ({ app, lease }) => ({ in: { uuid: app }, body: { add: [lease] } }),
  AssignTNLeasesToSIPConnection: ({ connection, lease }) => ({ in: { uuid: connection }, body: { add: [lease] } }),
  CancelBatch: ({ batch }) => ({ in: { uuid: batch } }),
  ChangeBlacklist: ({ tnProfile }) => ({ in: { uuid: tnProfile }, body: { add: ['12125550003'] } }),
  ChangeWhitelist: ({ tnProfile }) => ({ in: { uuid: tnProfile }, body: { add: ['12125550004'] } }),
  DeactivateUserAccountByUUID: ({ colleague }) => ({ in: { uuid: colleague } }),
  DeleteUserByUUID: ({ colleague }) => ({ in: { uuid: colleague } }),
  DeleteUserCartEntry: ({ cartEntry }) => ({ in: { uuid: cartEntry } }),
  ExecuteSIPControlAppCallExecuteCallFlow: ({ call }) => ({ in: { uuid: call }, file: DOCUMENT }),
  GetAccountByUUID: ({ person }) => ({ in: { uuid: person.accountId } }),
  GetAccountOfficeHours: ({ officeHours }) => ({ in: { uuid: officeHours } }),
  GetAddress: ({ address }) => ({ in: { uuid: address } }),
  GetBatch: ({ batch }) => ({ in: { uuid: batch } }),
  GetBlacklist: ({ tnProfile }) => ({ in: { uuid: tnProfile } }),
  GetCall: ({ call }) => ({ in: { uuid: call } }),
  GetOrderByUUID: ({ order }) => ({ in: { uuid: order } }),
  GetRecording: ({ recording }) => ({ in: { uuid: recording } }),
  GetRecordingFile: ({ recording }) => ({ in: { uuid: recording } }),
  GetSIPControlAppCall: ({ call }) => ({ in: { uuid: call } }),
  GetSIPControlAppStaticCallFlow: ({ app }) => ({ in: { uuid: app } }),
  GetSIPControlAppTNLeasesList: ({ app }) => ({ in: { uuid: app } }),
  GetSIPConnectionTNLeasesList: ({ connection }) => ({ in: { uuid: connection } }),
  GetTNLeaseByTN: ({ tn }) => ({ in: { lease: tn } }),
  GetTNLeaseByUUID: ({ lease }) => ({ in: { lease } }),
  GetTNLeaseRoute: ({ tn }) => ({ in: { lease: tn } }),
  GetTransactionByUUID: ({ transaction }) => ({ in: { uuid: transaction } }),
  GetUserByUUID: ({ user }) => ({ in: { uuid: user } }),
  GetWhitelist: ({ tnProfile }) => ({ in: { uuid: tnProfile } }),
  HangUpCall: ({ call }) => ({ in: { uuid: call } }),
  ListBatchItems: ({ batch }) => ({ in: { uuid: batch } }),
  ModifyTNLease: ({ tn }) => ({ in: { lease: tn }, body: { autorenew: false } }),
  ModifyToken: ({ keyUuid }) => ({ in: { uuid: keyUuid }, body: { name: 'theirs' } }),
  ReactivateUserAccountByUUID: ({ colleague }) => ({ in: { uuid: colleague } }),
  RemoveAccountOfficeHoursByUUID: ({ officeHours }) => ({ in: { uuid: officeHours } }),
  RemoveAddressByUUID: ({ address }) => ({ in: { uuid: address } }),
  RemoveAvatar: ({ user }) => ({ in: { uuid: user } }),
  RemoveByTokenString: ({ token }) => ({ in: { token } }),
  RemoveFromBlacklist: ({ tnProfile }) => ({ in: { uuid: tnProfile, number: '12125550001' } }),
  RemoveFromWhitelist: ({ tnProfile }) => ({ in: { uuid: tnProfile, number: '12125550002' } }),
  RemoveRecording: ({ recording }) => ({ in: { uuid: recording } }),
  RemoveSIPControlAppStaticCallFlow: ({ app }) => ({ in: { uuid: app } }),
  RemoveTNLeaseByUUID: ({ lease }) => ({ in: { lease } }),
  RunCallDocument: ({ call }) => ({ in: { uuid: call }, file: DOCUMENT }),
  SaveSIPControlAppStaticCallFlow: ({ app }) => ({ in: { uuid: app }, file: '<Response/>' }),
  SearchCallFlowLogs: ({ app }) => ({ in: { uuid: app } }),
  UpdateAccountOfficeHours: ({ officeHours }) => ({ in: { uuid: officeHours }, body: { name: 'Theirs' } }),
  UpdateAddress: ({ address }) => ({ in: { uuid: address }, body: { city: 'Theirs' } }),
  UpdateUserByUUID: ({ user }) => ({ in: { uuid: user }, body: { first_name: 'Eve' } }),
  UpdateUserCartEntry: ({ cartEntry }) => ({ in: { uuid: cartEntry }, body: { payload: {} } }),
  UploadAvatar: ({ user }) => ({ in: { uuid: user }, file: PNG }),
};

/** Lists: what must be in one's own and in nobody else's. */
const MANY: Record<string, (of: Possessions) => Asked & { holds: string }> = {
  GetAccountOfficeHoursList: ({ officeHours }) => ({ holds: officeHours }),
  GetAddressListByAccount: ({ address }) => ({ holds: address }),
  GetAddressListByUser: ({ address }) => ({ holds: address }),
  GetCallsOnline: ({ liveCall }) => ({ holds: liveCall }),
  GetCartEntries: ({ cartEntry }) => ({ holds: cartEntry }),
  GetSIPControlAppCallsList: ({ liveCall }) => ({ holds: liveCall }),
  GetTokenList: ({ keyUuid }) => ({ holds: keyUuid }),
  GetUsersByAccount: ({ colleague }) => ({ holds: colleague }),
  ListBatches: ({ batch }) => ({ holds: batch }),
  ListRecordings: ({ recording }) => ({ holds: recording }),
  GetSIPGroupsListApp: ({ group }) => ({ holds: group }),
  GetSIPUsersWithSameDomainApp: ({ sipUser }) => ({ holds: sipUser }),
  ListSIPDomains: ({ domain }) => ({ holds: domain }),
  ListOrders: ({ order }) => ({ holds: order }),
  ListTNLeases: ({ lease }) => ({ holds: lease }),
  SearchCalls: ({ call }) => ({ holds: call }),
  SearchOrders: ({ order }) => ({ holds: order }),
  SearchSCACalls: ({ call }) => ({ holds: call }),
  SearchTNLeases: ({ lease }) => ({ holds: lease }),
  SearchTransactions: ({ lease }) => ({ holds: lease }),
};

/** Bodies that name something by its uuid: with another account's they are refused, 400 or 404. `mine` asks. */
const NAMED: Record<string, (mine: Possessions, theirs: Possessions) => Asked> = {
  AddSIPUsersToSIPUserGroupApp: ({ group }, { sipUser }) => ({ in: { uuid: group }, body: { users: [sipUser] } }),
  CreateSIPDomain: (_, { app }) => ({ body: { domain: 'named.example.test', sip_control_app: app } }),
  CreateSIPUser: ({ domain }, { lease }) => ({
    in: { domain },
    body: { login: 'x', password: 'x'.repeat(8), tn_lease: lease },
  }),
  CreateSIPUserGroupApp: (_, { sipUser }) => ({ body: { name: 'Named', users: [sipUser] } }),
  ModifySIPDomainByDomainName: ({ domain }, { connection }) => ({
    in: { domain },
    body: { sip_connection: connection },
  }),
  ModifySIPUser: ({ domain, sipUser }, { lease }) => ({ in: { domain, uuid: sipUser }, body: { tn_lease: lease } }),
  ModifySIPUserGroupApp: ({ group }, { sipUser }) => ({ in: { uuid: group }, body: { users: [sipUser] } }),
  AssignTNLeasesToSIPControlApp: ({ app }, { lease }) => ({ in: { uuid: app }, body: { add: [lease] } }),
  AssignTNLeasesToSIPConnection: ({ connection }, { lease }) => ({ in: { uuid: connection }, body: { add: [lease] } }),
  BridgeCalls: ({ call }, { call: other }) => ({ body: { call_a: call, call_b: other } }),
  CreateBatch: ({ lease }, { voiceProfile }) => ({
    body: { phones: [12125550150], xml: DOCUMENT, tn_lease: lease, outbound_voice_profile: voiceProfile },
  }),
  CreateCall: (_, { lease }) => ({ body: { to: '12125550150', xml: DOCUMENT, tn_lease: lease } }),
  CreateOutboundVoiceProfile: (_, { lease }) => ({ body: { name: 'Mine', tn_lease: lease } }),
  CreateSIPConnection: (_, { voiceProfile }) => ({
    body: { name: 'Mine', ip: '192.0.2.1', outbound_voice_profile: voiceProfile },
  }),
  CreateSIPControlApp: (_, { voiceProfile }) => ({ body: { name: 'Mine', outbound_voice_profile: voiceProfile } }),
  ModifyOutboundVoiceProfile: ({ voiceProfile }, { lease }) => ({
    in: { uuid: voiceProfile },
    body: { tn_lease: lease },
  }),
  ModifySIPControlApp: ({ app }, { voiceProfile }) => ({
    in: { uuid: app },
    body: { outbound_voice_profile: voiceProfile },
  }),
  ModifySIPConnection: ({ connection }, { voiceProfile }) => ({
    in: { uuid: connection },
    body: { outbound_voice_profile: voiceProfile },
  }),
  ModifyTNLease: ({ lease }, { connection }) => ({ in: { lease }, body: { sip_connection: connection } }),
};

/** Routes of the kinds above that hold nothing of anybody, and why. */
const COMMON: Record<string, string> = {
  CheckSIPDomainByInviteApp: 'whoever has the token is meant',
  RegisterSIPUserByInviteApp: 'whoever has the token is meant',
  CreditAccount: 'for Admins of the installation alone (403)',
  GetTransactionDashboardReport: 'the parameter is a kind; the sums are of one’s own',
  ScheduleAction: 'for Admins of the installation alone (403)',
  TnleaseCreate: 'for Admins of the installation alone (403)',
  GetSIPConnectionProductsList: 'the same for everybody',
  GetSIPProductsList: 'the same for everybody',
  ListDictCountry: 'the same for everybody',
  ListDictGTTSVoices: 'the same for everybody',
  ListDictLERGRateCenters: 'the same for everybody',
  ListDictLERGStates: 'the same for everybody',
  ListDictTimeZone: 'the same for everybody',
  ListSearchCountries: 'the same for everybody',
  Search: 'numbers that nobody has',
  SearchCallFlowLogs: 'filters only',
  SearchCalls: 'filters only',
  SearchSCACalls: 'filters only',
  SearchTNLeases: 'filters only',
};

/** The cases of a resource follow from what it is. */
function addCases({ path, example, list, read, change, remove }: ExampledResource): void {
  const one = ({ examples }: Possessions) => ({ in: { uuid: examples[path]! } });
  MANY[list] = ({ examples }) => ({ holds: examples[path]! });
  ONE[read] = one;
  ONE[change] = (mine) => ({ ...one(mine), body: example });
  ONE[remove] = one;
}

type Route = { method: Method; path: string; operation: Operation };
let scene: RestScene;
let routes: Route[];
let mine: Possessions;
let theirs: Possessions;
/** What an engine was asked to do. */
const told: string[] = [];
const telling = (engine: Engine): Engine => {
  const heard = { ...engine };
  for (const name of ['run', 'hangup', 'place', 'bridge'] as const)
    (heard as Record<string, unknown>)[name] = (...args: unknown[]) => {
      told.push(name);
      return (engine[name] as (...all: unknown[]) => unknown)(...args);
    };
  return heard;
};

before(async () => {
  const calls = new Map<string, string>();
  scene = await openRestScene({ engine: telling(engineOf(calls)) });
  const document = await readDocument();
  routes = operationsOf(document) as Route[];
  const resources = exampledResources(document);
  for (const resource of resources) addCases(resource);
  mine = await possess(scene, '302', calls, resources);
  theirs = await possess(scene, '303', calls, resources);
});
after(() => scene.close());

const isOne = ({ path }: Route) => path.includes('{');
const isMany = ({ method, path, operation }: Route) => {
  const [, answer] = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))!;
  const said = JSON.stringify(answer.content?.['application/json']?.schema ?? {});
  const isList = /"payload":\{"type":"array"/.test(said) || /"payload":\{.*"data":\{"type":"array"/.test(said);
  return !path.includes('{') && isList && (method === 'GET' || path.endsWith('/search'));
};
const isNaming = ({ operation }: Route) => /"format":"uuid"/.test(JSON.stringify(operation.requestBody ?? {}));

function ask({ method, path }: Route, person: Possessions, asked: Asked): Promise<Answer> {
  const filled = path.replace('/rest', '').replace(/\{(\w+)\}/g, (_, name) => asked.in![name]!) + (asked.query ?? '');
  const as = person.person.jwt;
  if (asked.file) return scene.upload(filled, as, asked.file);
  // What a SIP user has is asked for by SIP users.
  const who = path.startsWith('/rest/app') ? { headers: { 'x-auth-ha1b-token': person.ha1b } } : { as };
  return scene.ask(method, filled, { ...who, body: asked.body });
}
const of = (table: Record<string, unknown>) =>
  routes.filter(({ operation }) => Object.hasOwn(table, operation.operationId));

/** Every row of every table. */
async function everything(): Promise<Record<string, unknown>> {
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public' order by 1`.execute(
    scene.db,
  );
  const rows = await Promise.all(
    tables.rows.map(async ({ name }) => {
      const found = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(scene.db);
      return [name, found.rows.map(({ row }) => row).sort()];
    }),
  );
  return Object.fromEntries(rows);
}

test('every route of the document is in the tables of this test', () => {
  const kinds: Array<[string, (route: Route) => boolean, Record<string, unknown>]> = [
    ['ONE', isOne, ONE],
    ['MANY', isMany, MANY],
    ['NAMED', isNaming, NAMED],
  ];
  const missing = kinds.flatMap(([table, isOf, cases]) =>
    routes
      .filter(({ operation: { operationId: id } }) => !Object.hasOwn(cases, id) && !Object.hasOwn(COMMON, id))
      .filter(isOf)
      .map(({ operation, method, path }) => `${table}.${operation.operationId}: ${method} ${path}`),
  );
  assert.deepEqual(missing, [], 'say what an account asks of these routes');
  const known = new Set(routes.map(({ operation }) => operation.operationId));
  const gone = [ONE, MANY, NAMED, COMMON].flatMap(Object.keys).filter((id) => !known.has(id));
  assert.deepEqual(gone, [], 'these are no routes any more');
});

test('what another account has is 404 and in no list, and asking changes nothing at all', async () => {
  const before = await everything();
  for (const route of of(ONE)) {
    const { status, body } = await ask(route, theirs, ONE[route.operation.operationId]!(mine));
    assert.equal(status, 404, `${route.method} ${route.path}: ${JSON.stringify(body)}`);
  }
  for (const route of of(MANY)) {
    const { holds, ...asked } = MANY[route.operation.operationId]!(mine);
    const { status, body } = await ask(route, theirs, asked);
    assert.equal(status, 200, `${route.method} ${route.path}: ${JSON.stringify(body)}`);
    assert.ok(!JSON.stringify(body).includes(holds), `${route.path} holds what another account has`);
    const own = await ask(route, mine, asked);
    assert.ok(JSON.stringify(own.body).includes(holds), `${route.path}: ${JSON.stringify(own.body)}`);
  }
  for (const route of of(NAMED)) {
    const { status, body } = await ask(route, theirs, NAMED[route.operation.operationId]!(theirs, mine));
    assert.ok([400, 404].includes(status), `${route.method} ${route.path}: ${status} ${JSON.stringify(body)}`);
  }
  assert.deepEqual(await everything(), before);
});

/** Readings that are asked with more than a name of ONE or MANY. */
const READINGS: Record<string, (of: Possessions) => Promise<Asked> | Asked> = {
  CheckSIPDomainByInviteApp: async ({ domain, person }) => {
    const { body } = await scene.ask('GET', `/sip/domain/${domain}/invite`, { as: person.jwt });
    return { in: { token: (body.payload as Array<{ token: string }>)[0]!.token } };
  },
  GetOrderPrice: () => ({ body: { items: [{ tn: 12125550150 }] } }),
  GetTransactionDashboardReport: () => ({ in: { ref_type: 'voice_outgoing' } }),
  Search: () => ({ body: { pattern: '*' } }),
};

/** Every file below the home: mails, recordings, pictures. */
const filesOf = async () =>
  (await readdir(scene.home, { recursive: true })).filter((name) => !/postgres/.test(name)).sort();

test('what COVERAGE.md calls a reading changes nothing: no row, no file, and no engine is told anything', async () => {
  // Some are for Admins of the installation.
  await scene.db
    .updateTable('account')
    .set({ level: 'ServiceAccount' })
    .where('id', '=', mine.person.accountId)
    .execute();
  const before = [await everything(), await filesOf(), told.length];
  const readings = routes.filter(({ method, path, operation: { operationId: name } }) =>
    isReading({ method, path, name }),
  );
  assert.ok(readings.length > 60, `${readings.length} readings`);
  const failed: string[] = [];
  for (const route of readings) {
    const id = route.operation.operationId;
    const asked = (await (READINGS[id] ?? ONE[id] ?? MANY[id])?.(mine)) ?? {};
    const { status, body } = await ask(route, mine, asked);
    if (status >= 300) failed.push(`${id} ${route.method} ${route.path}: ${status} ${JSON.stringify(body)}`);
  }
  assert.deepEqual(failed, [], 'say in READINGS how they are asked');
  assert.deepEqual([await everything(), await filesOf(), told.length], before);
  await scene.db.updateTable('account').set({ level: 'Level0' }).where('id', '=', mine.person.accountId).execute();
});

test('nobody is asked for nothing: without credentials every route but the open ones is 401', async () => {
  for (const { method, path, operation } of routes.filter((r) => r.operation.security?.length !== 0)) {
    const somewhere = path.replace('/rest', '').replace(/\{\w+\}/g, mine.app);
    assert.equal((await scene.ask(method, somewhere)).status, 401, `${operation.operationId} ${method} ${path}`);
  }
});

test('the same requests by their own account are done: no case above is an empty one', async () => {
  const order = ['GET', 'PATCH', 'POST', 'PUT', 'DELETE'];
  // A SIP user asks while there is one.
  const depth = ({ path }: Route) => path.split('/').length + (path.startsWith('/rest/app/') ? 10 : 0);
  let pending = of(ONE).sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method) || depth(b) - depth(a));
  // What is still pointed at is refused (409) until the pointing one is removed.
  for (let later: Route[] = []; pending.length > 0; pending = later, later = []) {
    for (const route of pending) {
      const { status, body } = await ask(route, mine, ONE[route.operation.operationId]!(mine));
      if (status === 409 && pending.length > 1) later.push(route);
      else assert.ok(status < 300, `${route.method} ${route.path}: ${status} ${JSON.stringify(body)}`);
    }
    assert.ok(later.length < pending.length, `each waits for another: ${later.map(({ path }) => path)}`);
  }
});
