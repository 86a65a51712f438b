/** One of everything that an account can have, made through the API where it has a way: what other accounts must not see. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SAMPLE, wholeCallObject } from '@opentact/proto/call-view';
import type { Engine } from '../calls/engine.ts';
import type { Document, Operation } from '../reference/document.ts';
import { idleEngine, type Method, PASSWORD, type Person, type RestScene } from './scene.ts';

/** Uuids, but for `tn` and `token`. */
export type Possessions = {
  person: Person;
  user: string;
  /** Another user of the account. */
  colleague: string;
  address: string;
  officeHours: string;
  cartEntry: string;
  app: string;
  token: string;
  keyUuid: string;
  order: string;
  tn: string;
  lease: string;
  transaction: string;
  call: string;
  liveCall: string;
  batch: string;
  recording: string;
  /** Its blacklist holds 12125550001, its whitelist 12125550002. */
  tnProfile: string;
  voiceProfile: string;
  connection: string;
  domain: string;
  /** With nothing below it; it leads to the connection. */
  bareDomain: string;
  switch: string;
  invite: string;
  /** A SIP user of the domain, with a group that holds them. */
  sipUser: string;
  ha1b: string;
  group: string;
  /** What was made by the example of each resource, by its path: `/sip/app`. */
  examples: Record<string, string>;
};

/** A list of an account's things, each with a uuid, that the document has an example of: nobody need write a case for it. */
export type ExampledResource = {
  path: string;
  example: unknown;
  list: string;
  read: string;
  change: string;
  remove: string;
};

export function exampledResources({ paths }: Pick<Document, 'paths'>): ExampledResource[] {
  return Object.entries(paths).flatMap(([path, { get, post }]) => {
    const { get: read, patch: change, delete: remove } = paths[`${path}/{uuid}`] ?? {};
    const example = exampleOf(post);
    if (path.includes('{') || !get || !read || !change || !remove || example === undefined) return [];
    const ids = { list: get.operationId, read: read.operationId, change: change.operationId };
    return [{ path: path.replace('/rest', ''), example, ...ids, remove: remove.operationId }];
  });
}

const exampleOf = (operation: Operation | undefined) => operation?.requestBody?.content['application/json']?.example;

export const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
export const DOCUMENT = '<Response><Say>hello</Say></Response>';

/** An engine with a live call for each account that possesses one; it does what it is asked. */
export function engineOf(calls: Map<string, string>): Engine {
  return {
    ...idleEngine,
    async call(callId) {
      const accountId = calls.get(callId);
      if (!accountId) return undefined;
      const app = { ...SAMPLE.app, appId: randomUUID() };
      return { callId, accountId, object: wholeCallObject({ ...SAMPLE, callId, account: accountId, app }) };
    },
    async place({ accountId }) {
      const callId = `${randomUUID().slice(0, -4)}0000`;
      calls.set(callId, accountId);
      return callId;
    },
    bridge: async () => {},
    run: async () => {},
    hangup: async () => {},
  };
}

/** @param npa an area of numbers for this account alone; `calls`: those of the engine */
export async function possess(
  scene: RestScene,
  npa: string,
  calls: Map<string, string>,
  resources: ExampledResource[] = [],
): Promise<Possessions> {
  const person = await scene.signedUp();
  const as = person.jwt;
  const make = async (method: Method, path: string, body: unknown): Promise<Record<string, string>> => {
    const answer = await scene.ask(method, path, { as, body });
    assert.ok(answer.body.success, `${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body.payload;
  };
  await scene.credit(person.email, 100);
  const [tn] = (await scene.stock(npa, 1)).map(String);
  const { uuid: app = '' } = await make('POST', '/sip/app', { name: 'Mine' });
  assert.equal((await scene.upload(`/sip/app/call/flow/${app}`, as, DOCUMENT)).status, 200);
  const key = await make('POST', '/token', { name: 'mine' });
  const { uuid: order = '' } = await make('POST', '/order', { items: [{ tn: Number(tn) }] });
  const { uuid: lease = '' } = await make('PATCH', `/lease/tn/${tn}`, { sip_control_app: app });
  const billed = await scene.ask('POST', '/transaction/search', { as });
  const transaction = (billed.body.payload as { data: Array<{ uuid: string }> }).data[0]!.uuid;
  const call = `${randomUUID().slice(0, -4)}0000`;
  calls.set(call, person.accountId);
  const { accountId: account_id } = person;
  const created_on = new Date();
  const log = { id: call, account_id, app_id: app, caller: '1', called: tn!, state: 'hangup', created_on };
  const liveCall = `${randomUUID().slice(0, -4)}0000`;
  await scene.db
    .insertInto('call_log')
    .values([log, { ...log, id: liveCall, state: 'live' }])
    .execute();
  const step = { document: 1, path: 'Say[0]', name: 'Say', success: true, reason: '', tag: '' };
  await scene.db
    .insertInto('flow_log')
    .values({ call_id: call, seq: 1, account_id, app_id: app, created_on, ...step })
    .execute();
  const bulk = { phones: [12125550150], xml: DOCUMENT, tn_lease: lease };
  const { uuid: batch = '' } = await make('POST', '/batch', bulk);
  const recording = randomUUID();
  const kept = { id: recording, call_id: call, account_id, tag: '', created_on, duration_ms: '1000', transcript: null };
  await scene.db.insertInto('recording_log').values(kept).execute();
  await writeFile(join(scene.home, 'recordings', `${recording}.wav`), 'RIFF');
  const { uuid: colleague = '' } = await make('POST', '/account/user', {
    email: `colleague-${person.email}`,
    password: PASSWORD,
  });
  const place = { is_physical: true, is_billing: false, is_shipping: false, zip_code: '10001', country: 'US' };
  const { uuid: address = '' } = await make('POST', '/address', {
    ...place,
    name: 'Mine',
    address1: '1 Main St',
    city: 'New York',
  });
  const hours = { type: 'lunchtime', dow: 'mon', time_from: 43_200, time_to: 46_800 };
  const { uuid: officeHours = '' } = await make('POST', '/account/office_hours', hours);
  const { uuid: cartEntry = '' } = await make('POST', '/user/cart', { payload: { tn: Number(tn) } });
  const { uuid: tnProfile = '' } = await make('POST', '/profile/tn', { name: 'Mine' });
  await make('POST', `/profile/tn/${tnProfile}/blacklist`, { add: ['12125550001'] });
  await make('POST', `/profile/tn/${tnProfile}/whitelist`, { add: ['12125550002'] });
  const { uuid: voiceProfile = '' } = await make('POST', '/profile/outbound_voice', { name: 'Mine' });
  const { uuid: connection = '' } = await make('POST', '/sip/connection', { name: 'Mine', ip: '192.0.2.7' });
  const domain = `d${npa}.example.test`;
  await make('POST', '/sip/domain', { domain });
  const bareDomain = `bare-${domain}`;
  await make('POST', '/sip/domain', { domain: bareDomain, sip_connection: connection });
  const below = (path: string, body: object) => make('POST', `/sip/domain/${domain}/${path}`, body);
  const { uuid: ownSwitch = '' } = await below('switch', { name: 'Mine', remote_ip: '192.0.2.7' });
  const expired_on = new Date(Date.now() + 86_400_000).toISOString();
  const { uuid: invite = '' } = await below('invite', { name: 'Mine', expired_on });
  const { uuid: sipUser = '' } = await below('user', { login: 'mine', password: PASSWORD });
  const ha1b = createHash('md5').update(`mine@${domain}:${domain}:${PASSWORD}`).digest('hex');
  const headers = { 'x-auth-ha1b-token': ha1b };
  const grouped = await scene.ask('POST', '/app/group', { headers, body: { name: 'Mine', users: [sipUser] } });
  const { uuid: group } = grouped.body.payload as { uuid: string };
  const examples: Record<string, string> = {};
  for (const { path, example } of resources) examples[path] = (await make('POST', path, example)).uuid!;
  return {
    person,
    user: person.uuid,
    colleague,
    address,
    officeHours,
    cartEntry,
    app,
    token: key.token!,
    keyUuid: key.uuid!,
    order,
    tn: tn!,
    lease,
    transaction,
    call,
    liveCall,
    batch,
    recording,
    tnProfile,
    voiceProfile,
    connection,
    domain,
    bareDomain,
    switch: ownSwitch,
    invite,
    sipUser,
    ha1b,
    group,
    examples,
  };
}
