/** Calls ordered by REST with real phones: one by one, connected, in bulk; each acts once, and shows to its account alone. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Client, createClient } from '@opentact/client';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import { checkedFetch } from '../../services/api/src/testing/contract.ts';
import { fromElsewhere } from '../kit/elsewhere.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { all, outcome, verbs } from '../kit/scene.ts';

const WAIT = '<Response><Pause length="60000"/></Response>';
let platform: Platform;
let nobody: Client;
const phones: Phone[] = [];

async function signedUp(): Promise<Client> {
  const basic = { email: `${randomUUID()}@example.test`, password: 'correct horse battery' };
  await nobody.createUser({ body: basic });
  const { token = '' } = await nobody.as({ basic }).auth();
  return nobody.as({ token });
}

/** A leased number of that account. */
async function numberOf(api: Client): Promise<{ tn: number; lease: string }> {
  for (let tries = 0; ; tries++) {
    const { data } = await api.search({ body: { pattern: '*' } });
    const offer = data[Math.floor(Math.random() * data.length)]!;
    const order = await api.createOrder({ body: { items: [{ tn: offer.tn }] } });
    if (order.state === 'success') {
      const { uuid } = await api.getTNLeaseByUUID({ lease: String(offer.tn) });
      return { tn: offer.tn, lease: uuid };
    }
    assert.ok(tries < 10, JSON.stringify(order)); // another test was faster
  }
}

async function rung(answers = true): Promise<{ to: string; calls: PhoneCall[] }> {
  const phone = await openPhone({ user: 'rung' });
  phones.push(phone);
  const calls: PhoneCall[] = [];
  phone.onCall = (call) => {
    calls.push(call);
    if (answers) call.accept();
    else call.ring();
  };
  return { to: `sip:rung@127.0.0.1:${phone.port}`, calls };
}

describe('calls by REST', { timeout: 90_000 }, () => {
  before(
    async () => {
      platform = await startPlatform();
      const url = await fromElsewhere(platform.httpPort);
      nobody = createClient({ url, fetch: await checkedFetch(url) });
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await Promise.all(phones.map((phone) => phone.close()));
    await platform?.stop();
  });

  it('is made once for a key, seen while it lives, hung up, and in the log as a call that went out', async () => {
    const [api, other, { to, calls }] = await Promise.all([signedUp(), signedUp(), rung()]);
    const { tn, lease } = await numberOf(api);
    const order = { body: { to, tn_lease: lease, xml: WAIT }, 'idempotency-key': 'first' };
    const made = await Promise.all([1, 2, 3].map(() => api.createCall(order)));
    const { uuid } = made[0]!;
    assert.deepEqual(new Set(made.map((call) => call.uuid)), new Set([uuid]));
    await platform.until(uuid, (e) => e.type === 'VerbStarted');
    assert.equal(calls.length, 1);
    assert.match(calls[0]!.invite!.headers.get('from') ?? '', new RegExp(`${tn}@`));
    const seen = await api.getCall({ uuid });
    assert.deepEqual([seen.direction, seen.state, seen.from, seen.to], ['out', 'live', String(tn), 'rung']);
    await assert.rejects(api.createCall({ ...order, body: { ...order.body, to: 'sip:a@b' } }), /409 .*Idempotency-Key/);
    const online = async (of: Client) => (await of.getCallsOnline()).map((call) => call.uuid);
    for (const end = Date.now() + 20_000; !(await online(api)).includes(uuid); ) assert.ok(Date.now() < end);
    assert.deepEqual(await online(other), []);
    await assert.rejects(other.getCall({ uuid }), /404/);
    await api.hangUpCall({ uuid });
    assert.equal(outcome(await platform.ended(uuid)), 'customer-server: api');
    const logged = async () => (await api.searchCalls({ body: { direction: 'out', state: 'offline' } })).data;
    for (const end = Date.now() + 20_000; (await logged()).length === 0; ) assert.ok(Date.now() < end);
    assert.deepEqual(
      (await logged()).map((call) => [call.uuid, call.owner, call.from]),
      [[uuid, 'customer-server', String(tn)]],
    );
    assert.deepEqual((await api.searchCalls({ body: { direction: 'in' } })).data, []);
  });

  it('says which field is wrong, and keeps no key of an order that was refused', async () => {
    const [api, { to }] = await Promise.all([signedUp(), rung()]);
    const { lease } = await numberOf(api);
    const right = { to, tn_lease: lease, xml: WAIT };
    for (const [wrong, says] of [
      [{ ...right, xml: '<Response><Nonsense/></Response>' }, /400 .*xml.*line 1, column/],
      [{ ...right, to: 'sip:a@b?Route=evil' }, /400 .*body\.to/],
      [{ to, xml: WAIT }, /400 .*tn_lease/],
      [{ to, tn_lease: lease }, /400 .*xml/],
      [{ ...right, tn_lease: randomUUID() }, /400 .*tn_lease/],
    ] as const)
      await assert.rejects(api.createCall({ body: wrong, 'idempotency-key': 'again' }), says);
    const { uuid } = await api.createCall({ body: right, 'idempotency-key': 'again' });
    await platform.until(uuid, (e) => e.type === 'VerbStarted');
    await api.hangUpCall({ uuid });
    await platform.ended(uuid);
  });

  it('connects two calls of an account, and none of another', async () => {
    const [api, other, one, two] = await Promise.all([signedUp(), signedUp(), rung(), rung()]);
    const { lease } = await numberOf(api);
    const [a, b] = await Promise.all(
      [one, two].map(({ to }) => api.createCall({ body: { to, tn_lease: lease, xml: WAIT } })),
    );
    await Promise.all([a, b].map((call) => platform.until(call!.uuid, (e) => e.type === 'VerbStarted')));
    const pair = { call_a: a!.uuid, call_b: b!.uuid };
    await assert.rejects(other.bridgeCalls({ body: pair }), /404/);
    const both = await api.bridgeCalls({ body: pair, 'idempotency-key': 'pair' });
    assert.deepEqual(
      both.map(({ uuid }) => uuid),
      [a!.uuid, b!.uuid],
    );
    await platform.until(a!.uuid, (e) => e.type === 'BridgeStarted');
    await assert.rejects(api.bridgeCalls({ body: pair }), /409 .*connected/);
    one.calls[0]!.hangup();
    const story = await platform.ended(b!.uuid);
    assert.deepEqual(verbs(story).slice(0, 2), ['Pause[0] bridged', 'Bridge[0] ended']);
    await assert.rejects(api.bridgeCalls({ body: pair }), /409 .*ended/);
  });

  it('calls many numbers, each once, tells what became of each, and cancels what was not called yet', async () => {
    const api = await signedUp();
    const [first, second] = [await numberOf(api), await numberOf(api)];
    const app = await api.createSIPControlApp({ body: { name: 'Rung', auto_answer: true } });
    await api.saveSIPControlAppStaticCallFlow({ uuid: app.uuid, file: '<Response><Pause length="300"/></Response>' });
    for (const { tn } of [first, second])
      await api.modifyTNLease({ lease: String(tn), body: { sip_control_app: app.uuid } });
    const phonesOf = [first.tn, second.tn, `+${first.tn}`];
    const order = {
      body: { phones: phonesOf, tn_lease: first.lease, xml: '<Response><Pause length="5000"/></Response>', pace: 1 },
      'idempotency-key': 'bulk',
    };
    const [{ uuid, total }, again] = [await api.createBatch(order), await api.createBatch(order)];
    assert.deepEqual([again.uuid, total], [uuid, 2]);
    let batch = await api.getBatch({ uuid });
    for (const end = Date.now() + 30_000; batch.state !== 'done'; batch = await api.getBatch({ uuid })) {
      assert.ok(Date.now() < end, JSON.stringify(batch));
      await new Promise((r) => setTimeout(r, 100));
    }
    assert.deepEqual([batch.ordered, batch.answered, batch.ended, batch.refused], [2, 2, 2, 0]);
    const { data: items } = await api.listBatchItems({ uuid });
    assert.deepEqual(
      items.map(({ phone, state, call }) => [phone, state, call?.state, call?.owner]),
      [first, second].map(({ tn }) => [String(tn), 'ordered', 'destroyed', 'callee']),
    );
    const story = await platform.ended(items[0]!.call!.uuid);
    const [ordered] = all(story, 'CallOrdered');
    assert.equal(ordered!.batchItem, items[0]!.uuid);
    const slow = await api.createBatch({ body: { ...order.body, phones: [first.tn, second.tn], pace: 0.02 } });
    for (const end = Date.now() + 20_000; (await api.getBatch({ uuid: slow.uuid })).ordered === 0; )
      assert.ok(Date.now() < end);
    const cancelled = await api.cancelBatch({ uuid: slow.uuid });
    assert.deepEqual([cancelled.state, cancelled.cancelled, cancelled.ordered], ['cancelled', 1, 1]);
  });
});
