/** Bulk calls against an engine that fails, limits and cancellations: each number is ordered once, and none is lost. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { CallV1 } from '@opentact/proto';
import { createLogger } from '@opentact/runtime';
import { Refusal } from '../kernel/refusal.ts';
import { idleEngine, openRestScene, type Person, type RestScene } from '../testing/scene.ts';
import type { Engine, KnownCall } from './engine.ts';
import { runBatches } from './run-batches.ts';

let scene: RestScene;
let person: Person;
let lease: string;
let over: AbortController;
let running: Promise<void>;
/** What the engine was asked for, by key. */
const placed = new Map<string, number>();
let answer: (order: CallV1.PlaceCallRequest) => Promise<string>;
const live = new Set<string>();

const engine: Engine = {
  ...idleEngine,
  check: async () => undefined,
  async place(order) {
    placed.set(order.idempotencyKey, (placed.get(order.idempotencyKey) ?? 0) + 1);
    return answer(order);
  },
  call: async (callId) => (live.has(callId) ? ({ callId } as KnownCall) : undefined),
};

before(async () => {
  scene = await openRestScene({ engine });
});
after(() => scene.close());

beforeEach(async (t) => {
  placed.clear();
  live.clear();
  answer = async () => 'made';
  person = await scene.signedUp();
  await scene.credit(person.email, 100);
  const [tn] = await scene.stock(String(400 + ++areas), 1);
  await scene.ask('POST', '/order', { as: person.jwt, body: { items: [{ tn }] } });
  const found = await scene.ask('GET', `/lease/tn/${tn}`, { as: person.jwt });
  lease = (found.body.payload as { uuid: string }).uuid;
  over = new AbortController();
  const logger = createLogger({ service: 'api', node: 'api', boot: 'b', level: 'silent' });
  running = runBatches(scene.db, engine, over.signal, logger);
  (t as { after(done: () => Promise<void>): void }).after(async () => {
    over.abort();
    await running;
  });
});
let areas = 0;

type Batch = { uuid: string; state: string; waiting: number; ordered: number; refused: number; cancelled: number };
const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => {
  const answered = await scene.ask(method, path, { as: person.jwt, body });
  assert.ok(answered.body.success, JSON.stringify(answered));
  return answered.body.payload as Batch;
};
/** Numbers of ours cost nothing and need no rate. */
async function order(count: number, more: object = {}): Promise<Batch> {
  const phones = Array.from({ length: count }, (_, n) => 15005550000 + areas * 10_000 + n);
  const app = await ask('POST', '/sip/app', { name: 'Rung' });
  await scene.db
    .insertInto('number')
    .values(phones.map((number) => ({ number: String(number), account_id: person.accountId, app_id: app.uuid })))
    .execute();
  return ask('POST', '/batch', { phones, tn_lease: lease, xml: '<Response/>', ...more });
}
async function until(uuid: string, holds: (batch: Batch) => boolean, ms = 20_000): Promise<Batch> {
  for (const end = Date.now() + ms; ; await new Promise((r) => setTimeout(r, 50))) {
    const batch = await ask('GET', `/batch/${uuid}`);
    if (holds(batch)) return batch;
    assert.ok(Date.now() < end, JSON.stringify(batch));
  }
}

test('no more are ordered in a minute than nine tenths of what the account may dial, whatever batches it has', async () => {
  await scene.db.updateTable('account').set({ dials_per_minute_max: 10 }).where('id', '=', person.accountId).execute();
  const first = await order(8, { pace: 0.16 });
  await scene.db.updateTable('batch').set({ pace: '50' }).execute();
  areas++;
  const second = await order(8);
  await scene.db.updateTable('batch').set({ pace: '50' }).execute();
  await new Promise((r) => setTimeout(r, 2_500));
  const [a, b] = [await ask('GET', `/batch/${first.uuid}`), await ask('GET', `/batch/${second.uuid}`)];
  assert.equal(a.ordered + b.ordered, 9);
  assert.equal(a.waiting + b.waiting, 7);
});

test('an order that nobody answered for is asked again under its own key', { timeout: 30_000 }, async () => {
  let failures = 2;
  answer = async () => {
    if (failures-- > 0) throw new Refusal('unavailable', 'away');
    return 'made';
  };
  const { uuid } = await order(3);
  await until(uuid, ({ ordered }) => ordered === 3, 15_000);
  assert.deepEqual([...placed.values()].sort(), [1, 2, 2]);
});

test('a call that may live already keeps its reservation, though its order is refused the second time', {
  timeout: 30_000,
}, async () => {
  answer = async () => {
    throw new Refusal('unavailable', 'the answer was lost');
  };
  const { uuid } = await order(1);
  await until(uuid, () => placed.size === 1);
  const { id, call_id } = await scene.db
    .selectFrom('batch_item')
    .select(['id', 'call_id'])
    .where('batch_id', '=', uuid)
    .executeTakeFirstOrThrow();
  live.add(call_id!);
  await scene.db.updateTable('lease').set({ released_on: new Date() }).where('id', '=', lease).execute();
  await until(uuid, ({ ordered }) => ordered === 1, 15_000);
  assert.deepEqual([...placed], [[id, 1]]);
});

test('a number that a limit kept from being rung waits once more, as another call', async () => {
  const { uuid } = await order(1);
  await until(uuid, ({ ordered }) => ordered === 1);
  const item = scene.db.selectFrom('batch_item').selectAll().where('batch_id', '=', uuid);
  const { call_id, id } = await item.executeTakeFirstOrThrow();
  const row = {
    id: call_id!,
    account_id: person.accountId,
    app_id: '',
    caller: '1',
    called: '2',
    created_on: new Date(),
  };
  await scene.db
    .insertInto('call_log')
    .values({ ...row, state: 'destroyed', owner: 'us', reason: 'dial-limit', direction: 'out' })
    .execute();
  await until(uuid, () => placed.size === 2);
  assert.deepEqual([...placed.keys()], [id, `${id}/1`]);
  assert.notEqual((await item.executeTakeFirstOrThrow()).call_id, call_id);
});

test('what was being ordered when its batch was cancelled is settled', { timeout: 30_000 }, async () => {
  answer = async () => {
    throw new Refusal('unavailable', 'away');
  };
  const { uuid } = await order(2);
  await until(uuid, () => placed.size === 2);
  const cancelled = await ask('DELETE', `/batch/${uuid}`);
  assert.deepEqual([cancelled.state, cancelled.waiting], ['cancelled', 2]);
  answer = async () => 'made';
  const settled = await until(uuid, ({ waiting }) => waiting === 0, 15_000);
  assert.deepEqual([settled.state, settled.ordered], ['cancelled', 2]);
});

test('ten thousand numbers and a large document are one order', async () => {
  const phones = Array.from({ length: 10_000 }, (_, n) => 12125550000 + n);
  const xml = `<Response><Say>${'x'.repeat(60_000)}</Say></Response>`;
  over.abort();
  const batch = (await ask('POST', '/batch', { phones, tn_lease: lease, xml })) as Batch & { phones: string[] };
  assert.equal(batch.phones.length, 10_000);
});

test('a pace above what the account may dial, and a document beside an address, are refused before anything is kept', async () => {
  const refused = async (body: object) => {
    const { status, body: said } = await scene.ask('POST', '/batch', {
      as: person.jwt,
      body: { phones: [15005550199], tn_lease: lease, xml: '<Response/>', ...body },
    });
    return [status, said.fields as unknown];
  };
  await scene.db.updateTable('account').set({ dials_per_minute_max: 30 }).where('id', '=', person.accountId).execute();
  assert.deepEqual(await refused({ pace: 0.51 }), [
    400,
    { 'body.pace': { message: 'must be 0.5 at most: so many calls a second this account may dial' } },
  ]);
  const both = { message: 'stands beside xml: give one of them' };
  assert.deepEqual(await refused({ call_flow_url: 'https://a.test/' }), [400, { 'body.call_flow_url': both }]);
  const { total } = (await ask('GET', '/batch')) as unknown as { total: number };
  assert.equal(total, 0);
});

test('what a batch names reaches the engine with each of its numbers', async () => {
  const make = async (path: string, body: object) => (await ask('POST', path, body)).uuid;
  const profile = { name: 'Out', tn_lease: lease, record_calls: 1 };
  const outbound_voice_profile = await make('/profile/outbound_voice', profile);
  const sip_control_app = await make('/sip/app', { name: 'Whose' });
  const orders: Array<Parameters<Engine['place']>[0]> = [];
  answer = async (of) => {
    orders.push(of);
    return 'made';
  };
  const heard = { xml: undefined, call_flow_url: 'https://a.test/flow', call_flow_method: 'POST' };
  const { uuid } = await order(2, { ...heard, tn_lease: undefined, outbound_voice_profile, sip_control_app });
  await until(uuid, ({ ordered }) => ordered === 2);
  for (const { callFlowUrl, callFlowMethod, app, recordCalls } of orders)
    assert.deepEqual(
      [callFlowUrl, callFlowMethod, app?.appId, recordCalls],
      ['https://a.test/flow', 'POST', sip_control_app, 1],
    );
  assert.ok(orders.length >= 2);
});
