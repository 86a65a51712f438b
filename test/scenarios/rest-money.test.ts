/** What real calls cost: charged once, whoever dies meanwhile; and what an account may not dial never leaves. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Answer, type Client, createClient } from '@opentact/client';
import { embeddedPostgres } from '@opentact/event-log';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import { legUuid } from '@opentact/proto';
import { partitionOf } from '@opentact/runtime';
import { type Database, openDatabase } from '../../services/api/src/database/database.ts';
import { forgetCallLog } from '../../services/api/src/logs/forget.ts';
import { checkedFetch } from '../../services/api/src/testing/contract.ts';
import { fromElsewhere } from '../kit/elsewhere.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { all, eventually } from '../kit/scene.ts';

const FAR = '13055559999';
const DIAL = `<Response><Dial timeout="10"><Number>${FAR}</Number></Dial><Pause length="60000"/></Response>`;
let platform: Platform;
let phone: Phone;
let carrier: Phone;
let db: Database;
let nobody: Client;

type Charge = Answer<'searchTransactions'>['data'][number];

/** Somebody with a trunk of their own, a number, and an app that runs a document. */
async function customer(name: string, tn: number, xml: string): Promise<{ api: Client; account: string; app: string }> {
  const basic = { email: `${name}@example.test`, password: 'correct horse battery' };
  const { account } = await nobody.createUser({ body: basic });
  const { token = '' } = await nobody.as({ basic }).auth();
  const api = nobody.as({ token });
  const app = await api.createSIPControlApp({ body: { name, auto_answer: true } });
  await api.saveSIPControlAppStaticCallFlow({ uuid: app.uuid, file: xml });
  await api.createOrder({ body: { items: [{ tn }] } });
  await api.modifyTNLease({ lease: String(tn), body: { sip_control_app: app.uuid } });
  const at = { host: '127.0.0.1', port: carrier.port, transport: 'udp', user: '', password: '' };
  await db
    .insertInto('trunk')
    .values({ id: name, account_id: account.uuid, ...at })
    .execute();
  return { api, account: account.uuid, app: app.uuid };
}

const chargesOf = async (api: Client): Promise<Charge[]> =>
  (await api.searchTransactions({ take: 100, body: {} })).data.filter(({ ref_type }) => /voice|tts/.test(ref_type));

async function charges(api: Client, count: number): Promise<Charge[]> {
  let found: Charge[] = [];
  const until = Date.now() + 20_000;
  // An api that was killed is started again meanwhile.
  while (found.length < count && Date.now() < until) {
    found = await chargesOf(api).catch(() => found);
    await new Promise((done) => setTimeout(done, 50));
  }
  return found;
}
/** Until the call is in the call log, over, and its partition was charged as far. */
async function read(callId: string): Promise<void> {
  const partition = partitionOf(callId, 8);
  for (const until = Date.now() + 20_000; ; await new Promise((done) => setTimeout(done, 50))) {
    const call = await db.selectFrom('call_log').select('hangup_on').where('id', '=', callId).executeTakeFirst();
    const { position } = await db
      .selectFrom('charge_cursor')
      .select('position')
      .where('partition', '=', partition)
      .executeTakeFirstOrThrow();
    if (call?.hangup_on && Number(position) > 0) return;
    if (Date.now() > until) throw new Error(`${callId} was not read again: ${position}`);
  }
}
const amountOf = (found: Charge[], refType: string, ref: string) =>
  found.filter(({ ref_type, ref_uuid }) => ref_type === refType && ref_uuid === ref).map(({ amount }) => amount);

describe('what calls cost', { timeout: 90_000 }, () => {
  before(async () => {
    [platform, phone, carrier] = await Promise.all([
      startPlatform(),
      openPhone({ user: '12125550199' }),
      openPhone({ user: 'carrier' }),
    ]);
    const url = await fromElsewhere(platform.httpPort);
    nobody = createClient({ url, fetch: await checkedFetch(url) });
    const server = await embeddedPostgres({ home: platform.home, databases: [] });
    db = openDatabase(server.url('opentact_api'));
  });
  after(async () => {
    await db?.destroy();
    await Promise.all([phone?.close(), carrier?.close()]);
    await platform?.stop();
  });

  it('charges a call in and its leg out once, though api is killed in the middle and the call log made anew', async () => {
    const tn = 12125550125;
    const { api } = await customer('payer', tn, DIAL);
    const call = await (await phone.call(`sip:${tn}@${platform.sip}`)).until('answered');
    const callId = call.platformCallId;
    await platform.until(callId, (e) => e.type === 'LegAnswered' && e.leg === 1);
    assert.deepEqual(await chargesOf(api), [], 'it goes on');
    platform.kill('api');
    call.hangup();
    const story = await platform.ended(callId);
    const [end] = all(story, 'CallEnded');
    const answered = all(story, 'LegAnswered').find(({ leg }) => leg === 1)!;
    const gone = await platform.until(callId, (e) => e.type === 'LegEnded' && e.leg === 1);
    const minutes = Math.ceil((gone.at - answered.at) / 60_000);
    // The rates of a first start: 0.006 a minute in, by six seconds; 0.012 out, by the minute.
    const expected = [-Math.ceil(end!.durationMs / 6000) * 0.0006, -minutes * 0.012];
    const found = await charges(api, 2);
    const leg = legUuid(callId, 1);
    const amounts = [...amountOf(found, 'voice_incoming', callId), ...amountOf(found, 'voice_outgoing', leg)];
    assert.deepEqual([amounts, found.length], [expected.map((n) => Number(n.toFixed(4))), 2]);
    const { balance } = await api.getAccount();
    assert.equal(balance, Number((9 + expected[0]! + expected[1]!).toFixed(4)));

    // All of the journal again, by an api that knows nothing of what it did.
    platform.kill('api');
    await forgetCallLog(db);
    await db.updateTable('charge_cursor').set({ position: '0' }).execute();
    await read(callId);
    assert.deepEqual([await chargesOf(api), (await api.getAccount()).balance], [found, balance]);
  });

  it('sends no INVITE past the channel limit of the profile, nor for an account without money', async () => {
    const tn = 12125550126;
    const { api, account, app } = await customer('limited', tn, DIAL);
    const profile = await api.createOutboundVoiceProfile({ body: { name: 'One at a time', channel_limit: 1 } });
    await api.modifySIPControlApp({ uuid: app, body: { outbound_voice_profile: profile.uuid } });
    const invites: PhoneCall[] = [];
    carrier.onCall = (incoming) => {
      invites.push(incoming);
      incoming.accept();
    };
    const refusal = async (): Promise<{ call: PhoneCall; said: unknown[] }> => {
      const call = await (await phone.call(`sip:${tn}@${platform.sip}`)).until('answered');
      const failed = await platform.until(call.platformCallId, (e) => e.type === 'DialFailed');
      return { call, said: failed.type === 'DialFailed' ? [failed.reason, failed.q850, failed.status] : [] };
    };
    const first = await (await phone.call(`sip:${tn}@${platform.sip}`)).until('answered');
    await platform.until(first.platformCallId, (e) => e.type === 'LegAnswered' && e.leg === 1);
    const second = await refusal();
    assert.deepEqual([second.said, invites.length], [['channel-limit', 34, 0], 1]);
    second.call.hangup();
    first.hangup();
    await charges(api, 3);
    // 0.012 was spent today, and 0.012 is the price of a minute.
    for (const [limits, expected] of [
      [{ channel_limit: 0, max_rate: 0.011 }, 'rate'],
      [{ max_rate: 0, daily_spend_limit: 0.0239 }, 'spend-limit'],
      [{ daily_spend_limit: 0, is_active: false }, 'inactive'],
    ] as const) {
      await api.modifyOutboundVoiceProfile({ uuid: profile.uuid, body: limits });
      const refused = await refusal();
      assert.deepEqual([refused.said, invites.length], [[expected, 21, 0], 1]);
      refused.call.hangup();
    }
    await api.modifyOutboundVoiceProfile({ uuid: profile.uuid, body: { is_active: true } });
    await db.updateTable('account').set({ balance: '0.001' }).where('id', '=', account).execute();
    const third = await refusal();
    assert.deepEqual([third.said, invites.length], [['balance', 21, 0], 1]);
    third.call.hangup();
    await eventually(() => third.call.ended !== undefined, 'it goes on');
  });

  it('charges a call by API as one that went out, once however often it was ordered, and what it said', async () => {
    const tn = 12125550127;
    const { api } = await customer('orders', tn, '<Response/>');
    const { data } = await api.searchTNLeases({ body: {} });
    const text = 'This is what you have ordered.';
    const order = { to: FAR, tn_lease: data[0]!.uuid, xml: `<Response><Say>${text}</Say></Response>` };
    carrier.onCall = (incoming) => incoming.accept();
    const made = await Promise.all([1, 2].map(() => api.createCall({ body: order, 'idempotency-key': 'once' })));
    assert.equal(new Set(made.map(({ uuid }) => uuid)).size, 1);
    const { uuid } = made[0]!;
    await platform.ended(uuid);
    const found = await charges(api, 2);
    const amounts = ['voice_outgoing', 'tts'].map((kind) => amountOf(found, kind, uuid));
    // A minute, and 30 characters at 0.01 for a thousand.
    assert.deepEqual([amounts, found.length], [[[-0.012], [-0.0003]], 2]);
  });
});
