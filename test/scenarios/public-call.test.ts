/**
 * One call, the same on every channel, field by field: as a flow engine answers it, as REST reads and searches it, as an event
 * carries it and as the customer's server is sent it. Once while it lives, once when it is over.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Client, createClient } from '@opentact/client';
import { type EventLog, postgresLog } from '@opentact/event-log';
import { openPhone, type Phone } from '@opentact/phone';
import { SAMPLE, wholeCallObject } from '@opentact/proto/call-view';
import { checkedFetch } from '../../services/api/src/testing/contract.ts';
import { type Customer, openCustomer } from '../kit/customer.ts';
import { fromElsewhere } from '../kit/elsewhere.ts';
import { environmentOf } from '../kit/environment.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';

type Call = Record<string, unknown>;
/** A value of `google.protobuf.Struct` as a client without our code sees it. */
type Value = { kind: string; nullValue?: string; structValue?: { fields: Record<string, Value> } } & {
  listValue?: { values?: Value[] };
} & Record<string, unknown>;

const PATIENCE_MS = 20_000;
let platform: Platform;
let customer: Customer;
let log: EventLog;
let callee: Phone;
let caller: Phone;
let api: Client;

const plain = (value: Value): unknown => {
  if (value.kind === 'nullValue') return null;
  if (value.kind === 'structValue') return fieldsOf(value.structValue!.fields);
  if (value.kind === 'listValue') return (value.listValue!.values ?? []).map(plain);
  return value[value.kind];
};
const fieldsOf = (fields: Record<string, Value>): Call =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));

async function byGrpc(uuid: string): Promise<Call> {
  const { call } = (await platform.control.getCall(uuid)) as unknown as { call: { fields: Record<string, Value> } };
  return fieldsOf(call.fields);
}

async function byRest(uuid: string): Promise<Call> {
  return (await api.getCall({ uuid })) as unknown as Call;
}

async function bySearch(uuid: string): Promise<Call | undefined> {
  const { data } = await api.searchCalls({ body: { take: 100 } });
  return data.find((call) => call.uuid === uuid) as Call | undefined;
}

/** Of the newest event of the call itself. */
async function byEvent(uuid: string): Promise<Call | undefined> {
  let newest: Call | undefined;
  for await (const { bytes } of log.readKey('events.public', uuid)) {
    const { call } = JSON.parse(Buffer.from(bytes).toString()) as { call: Call };
    if (call.uuid === uuid) newest = call;
  }
  return newest;
}

/** Waits until the channel, which follows the journal, shows the call so; tells where it differs. */
async function shows(channel: (uuid: string) => Promise<Call | undefined>, wanted: Call): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ; await new Promise((later) => setTimeout(later, 50))) {
    const found = await channel(wanted.uuid as string);
    if (JSON.stringify(sorted(found)) === JSON.stringify(sorted(wanted)) || Date.now() > end)
      return assert.deepEqual(found, wanted, channel.name);
  }
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort()
            .map(([name, part]) => [name, sorted(part)]),
        )
      : value;

/** What a call shows of its account. */
function ownOf({ balance: _, time_zone: __, ...own }: { balance: number; time_zone: string }): object {
  return own;
}

describe('a call on every channel', { timeout: 90_000 }, () => {
  before(
    async () => {
      [platform, customer, callee, caller] = await Promise.all([
        startPlatform(),
        openCustomer(),
        openPhone({ user: 'callee' }),
        openPhone({ user: '12125550199' }),
      ]);
      log = await postgresLog({ url: environmentOf(platform, 'notifier-1', 'DATABASE_URL'), retainDays: 30 });
      const url = await fromElsewhere(platform.httpPort);
      const nobody = createClient({ url, fetch: await checkedFetch(url) });
      const basic = { email: `${randomUUID()}@example.test`, password: 'correct horse battery' };
      await nobody.createUser({ body: basic });
      const { token = '' } = await nobody.as({ basic }).auth();
      api = nobody.as({ token });
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await Promise.all([log?.close(), customer?.close(), callee?.close(), caller?.close()]);
    await platform?.stop();
  });

  /** A number of the account that leads to an app, whose server is asked by POST. */
  async function numberOf(path: string): Promise<string> {
    const app = await api.createSIPControlApp({
      body: {
        name: 'Everywhere',
        auto_answer: false,
        call_flow_url: `${customer.url}${path}`,
        call_flow_method: 'POST',
      },
    });
    const { data } = await api.search({ body: { pattern: '*' } });
    await api.createOrder({ body: { items: [{ tn: data[0]!.tn }] } });
    const tn = String(data[0]!.tn);
    await api.modifyTNLease({ lease: tn, body: { sip_control_app: app.uuid } });
    return tn;
  }

  it('is one and the same while it lives', async () => {
    let answer = (_: string) => {};
    const held = new Promise<string>((done) => (answer = done));
    customer.on('/live', async (response) => void response.end(await held));
    const tn = await numberOf('/live');
    await caller.call(`sip:${tn}@${platform.sip}`);
    for (const end = Date.now() + PATIENCE_MS; customer.count('/live').requests === 0; )
      await new Promise((later) =>
        setTimeout(later, Date.now() < end ? 20 : assert.fail('nobody asked for the document')),
      );
    const { meta, ...sent } = JSON.parse(customer.asked[0]!.body) as Call;
    assert.deepEqual(meta, {});
    assert.deepEqual(new Set(Object.keys(sent)), new Set(Object.keys(wholeCallObject(SAMPLE))));
    assert.deepEqual([sent.state, sent.to], ['init', tn]);
    const [account, lease, app] = [
      await api.getAccount({}),
      await api.getTNLeaseByUUID({ lease: tn }),
      sent.sip_control_app,
    ];
    assert.partialDeepStrictEqual(sent.account, ownOf(account));
    const { uuid, autorenew, expired_on, created_on, modified_on } = lease;
    const tnlease = { uuid, autorenew, expired_on, created_on, modified_on };
    assert.deepEqual(sent.tn, { tn, created_on, modified_on, deleted_on: null, tnlease });
    const told = await api.getSIPControlAppByUUID({ uuid: (app as Call).uuid as string });
    assert.partialDeepStrictEqual(app, { name: 'Everywhere', created_on: told.created_on, shaken_verify_policy: 0 });
    // As it was when the call began: whatever is changed meanwhile.
    await api.modifyAccount({ body: { city: 'Elsewhere' } });
    for (const channel of [byGrpc, byRest, bySearch, byEvent]) await shows(channel, sent);
    answer('<Response><Hangup/></Response>');
    await platform.ended(sent.uuid as string);
  });

  it('is one and the same when it is over, with the leg that it dialled and the verbs that it ran', async () => {
    callee.onCall = (call) => call.accept();
    customer.on('/over', `<Response><Say>Hi.</Say><Dial><Sip>callee@127.0.0.1:${callee.port}</Sip></Dial></Response>`);
    const tn = await numberOf('/over');
    const call = await (await caller.call(`sip:${tn}@${platform.sip}`)).until('answered');
    const uuid = call.platformCallId;
    await platform.until(uuid, (e) => e.type === 'BridgeStarted');
    await call.hangup();
    await platform.ended(uuid);
    const over = await byGrpc(uuid);
    const { state, owner, children, logs } = over as { [name: string]: unknown; children: Call[]; logs: Call[] };
    assert.deepEqual([state, owner], ['destroyed', 'caller']);
    assert.deepEqual(
      children.map((child) => [child.direction, child.to, child.state]),
      [['out', 'callee', 'destroyed']],
    );
    assert.ok(logs.some(({ name }) => name === 'Say'));
    for (const channel of [byRest, bySearch, byEvent]) await shows(channel, over);
  });

  it('shows the domain, the switch, the SIP user and the connection that it came by', async () => {
    const [domain, host] = [`${randomUUID()}.sip.example.test`, '127.0.0.1'];
    const connection = await api.createSIPConnection({ body: { name: 'PBX', ip: host, port: callee.port } });
    await api.createSIPDomain({ body: { domain, sip_connection: connection.uuid } });
    const by = await api.createSIPSwitch({ domain, body: { name: 'Ours', remote_ip: host } });
    const { uuid: user } = await api.createSIPUser({ domain, body: { login: 'callee', password: randomUUID() } });
    callee.onCall = (call) => call.accept();
    const call = await (await caller.call(`sip:callee@${domain}`, { by: platform.sip })).until('answered');
    const live = await byGrpc(call.platformCallId);
    assert.equal(live.tn, null);
    assert.partialDeepStrictEqual(live, {
      sip_domain: { domain },
      sip_switch: { uuid: by.uuid, name: 'Ours', remote_ip: host, created_on: by.created_on },
      sip_user: { uuid: user, login: 'callee', first_name: null },
      sip_connection: { uuid: connection.uuid, name: 'PBX', ip: host, port: callee.port, hostname: null },
    });
    await call.hangup();
    await platform.ended(call.platformCallId);
    const over = await byGrpc(call.platformCallId);
    for (const channel of [byRest, bySearch, byEvent]) await shows(channel, over);
  });

  it('shows the number that it was ordered with, as its lease is', async () => {
    callee.onCall = (call) => call.accept();
    const tn = await numberOf('/ordered');
    const lease = await api.getTNLeaseByUUID({ lease: tn });
    const order = {
      to: `sip:callee@127.0.0.1:${callee.port}`,
      tn_lease: lease.uuid,
      xml: '<Response><Hangup/></Response>',
    };
    const made = (await api.createCall({ body: order })) as Call;
    const { account, sip_control_app: app } = made as Record<string, Call>;
    assert.partialDeepStrictEqual(account, ownOf(await api.getAccount({})));
    assert.partialDeepStrictEqual(made.tn, { tn, created_on: lease.created_on, tnlease: { uuid: lease.uuid } });
    assert.deepEqual([app!.uuid, app!.name], [lease.sip_control_app!.uuid, 'Everywhere']);
    assert.ok(app!.created_on);
    const uuid = made.uuid as string;
    await platform.ended(uuid);
    const over = await byGrpc(uuid);
    assert.deepEqual([over.tn, over.account], [made.tn, made.account]);
    for (const channel of [byRest, bySearch, byEvent]) await shows(channel, over);
  });
});
