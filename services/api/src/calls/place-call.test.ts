/** What was reserved for a call is given back exactly where no engine can have taken it; on a real database. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { callIdOfOrder } from '@opentact/proto';
import { SAMPLE, wholeCallObject } from '@opentact/proto/call-view';
import { Refusal, type RefusalCode } from '../kernel/refusal.ts';
import { idleEngine, openRestScene, type Person, type RestScene } from '../testing/scene.ts';
import type { Engine } from './engine.ts';
import { Limited, NO_TRUNK, type Placement, placeCall } from './place-call.ts';

const ABROAD = '442079460000';

let scene: RestScene;
let person: Person;
let lease: { uuid: string };
let key: string;
/** Keys in the order in which the engine was asked; what it says; the calls that it knows. */
const asked: string[] = [];
const live = new Set<string>();
let last: Parameters<Engine['place']>[0] | undefined;
let answer: () => Promise<unknown>;
const refuses = (code: RefusalCode) => async () => {
  throw new Refusal(code, `${code} by the engine`);
};
const engine: Engine = {
  ...idleEngine,
  async place(order) {
    const { idempotencyKey, accountId } = order;
    asked.push(idempotencyKey);
    last = order;
    await answer();
    live.add(callIdOfOrder(accountId, idempotencyKey));
    return callIdOfOrder(accountId, idempotencyKey);
  },
  async call(callId) {
    if (!live.has(callId)) return undefined;
    const { accountId } = person;
    return { callId, accountId, object: wholeCallObject({ ...SAMPLE, callId, account: accountId }) };
  },
};

before(async () => {
  scene = await openRestScene({ engine });
  const trunk = {
    id: 'all',
    account_id: null,
    host: '192.0.2.1',
    port: 5060,
    transport: 'udp',
    user: '',
    password: '',
  };
  await scene.db.insertInto('trunk').values(trunk).execute();
  await scene.db.insertInto('rate').values({ direction: 'out', prefix: '44', price: '1' }).execute();
});
after(() => scene.close());

let areas = 500;
beforeEach(async () => {
  asked.length = 0;
  live.clear();
  answer = async () => {};
  key = randomUUID();
  person = await scene.signedUp();
  await scene.credit(person.email, 10);
  await scene.db.insertInto('trunk_account').values({ trunk_id: 'all', account_id: person.accountId }).execute();
  const [tn] = await scene.stock(String(++areas), 1);
  await scene.ask('POST', '/order', { as: person.jwt, body: { items: [{ tn }] } });
  lease = (await scene.ask('GET', `/lease/tn/${tn}`, { as: person.jwt })).body.payload;
});

const place = (more: Partial<Placement> = {}) => {
  const wasTried = more.wasTried ?? false;
  return placeCall(scene.db, engine, {
    ...{ to: ABROAD, xml: '<Response/>', callFlowUrl: '', callFlowMethod: 'GET', ringTimeoutMs: 0 },
    accountId: person.accountId,
    named: { leaseId: lease.uuid },
    key,
    wasTried,
    remember: async () => ({ orderedOn: new Date(Date.now() - (wasTried ? 30_000 : 0)), wasTried }),
    ...more,
  });
};
const post = (of: { to?: string } = {}) => {
  const body = { to: of.to ?? ABROAD, tn_lease: lease.uuid, xml: '<Response/>' };
  return scene.ask('POST', '/call', { as: person.jwt, body, headers: { 'idempotency-key': key } });
};
/** Is money kept for the call of this test's key? */
const isKept = async () =>
  (await scene.db
    .selectFrom('outbound_leg')
    .select('leg')
    .where('leg', '=', callIdOfOrder(person.accountId, key))
    .executeTakeFirst()) !== undefined;
const refused = (code: RefusalCode) => (error: unknown) => error instanceof Refusal && error.code === code;

test('a call that the engine takes keeps what was reserved', async () => {
  assert.equal(await place(), callIdOfOrder(person.accountId, key));
  assert.equal(await isKept(), true);
});

for (const code of ['invalid', 'not-found', 'conflict'] as const)
  test(`a call that the engine refuses (${code}) gives the money back`, async () => {
    answer = refuses(code);
    await assert.rejects(place(), refused(code));
    assert.equal(await isKept(), false);
  });

test('where no engine answers, or one breaks, the money stays for a try under the same key', async () => {
  answer = refuses('unavailable');
  await assert.rejects(place(), refused('unavailable'));
  assert.equal(await isKept(), true);
  answer = () => Promise.reject(new Error('broken'));
  await assert.rejects(place({ wasTried: true }), /broken/);
  assert.equal(await isKept(), true);
  answer = async () => {};
  await place({ wasTried: true });
  assert.deepEqual([asked.length, await isKept()], [3, true]);
});

test('refused at a later try, a call that lives is the answer and keeps its money; one that never came gives it back', async () => {
  answer = refuses('unavailable');
  await assert.rejects(place());
  answer = refuses('invalid');
  const id = callIdOfOrder(person.accountId, key);
  live.add(id);
  assert.equal(await place({ wasTried: true }), id);
  assert.equal(await isKept(), true);
  live.clear();
  await assert.rejects(place({ wasTried: true }), refused('invalid'));
  assert.equal(await isKept(), false);
});

test('refused soon after an earlier try that nothing is known of, its money is kept: it may be on its way', async () => {
  answer = refuses('unavailable');
  await assert.rejects(place());
  answer = refuses('invalid');
  const justNow = async () => ({ orderedOn: new Date(), wasTried: true });
  await assert.rejects(place({ wasTried: true, remember: justNow }), refused('unavailable'));
  assert.equal(await isKept(), true);
});

test('refused by us at a later try, as the number is leased no more, it is the same', async () => {
  answer = refuses('unavailable');
  await assert.rejects(place());
  await scene.ask('DELETE', `/lease/tn/${lease.uuid}`, { as: person.jwt });
  const id = callIdOfOrder(person.accountId, key);
  live.add(id);
  assert.equal(await place({ wasTried: true }), id);
  assert.equal(await isKept(), true);
  live.clear();
  await assert.rejects(place({ wasTried: true }), refused('invalid'));
  assert.deepEqual([await isKept(), asked.length], [false, 1]);
});

test('what a limit refuses reaches no engine, and takes nothing from another try under the key', async () => {
  await place();
  await scene.credit(person.email, 0);
  await assert.rejects(place({ key: randomUUID() }), refused('unaffordable'));
  const other = () => Promise.reject(new Refusal('conflict', 'another request has this key'));
  await assert.rejects(place({ remember: other }), refused('conflict'));
  assert.deepEqual([asked, await isKept()], [[key], true]);
});

test('POST /call: what it names reaches the engine', async () => {
  const make = async (path: string, body: object) =>
    ((await scene.ask('POST', path, { as: person.jwt, body })).body.payload as { uuid: string }).uuid;
  const { tn } = await scene.db.selectFrom('lease').select('tn').where('id', '=', lease.uuid).executeTakeFirstOrThrow();
  const profile = { name: 'Out', tn_lease: lease.uuid, record_calls: 2 };
  const outbound_voice_profile = await make('/profile/outbound_voice', profile);
  const sip_control_app = await make('/sip/app', { name: 'Whose', max_call_length_min: 3 });
  const heard = { call_flow_url: 'https://a.test/flow', call_flow_method: 'POST', ring_timeout: 7_000 };
  const body = { to: ABROAD, outbound_voice_profile, sip_control_app, ...heard };
  const made = await scene.ask('POST', '/call', { as: person.jwt, body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { from, to, callFlowUrl, callFlowMethod, ringTimeoutMs, app, recordCalls } = last!;
  assert.deepEqual([from, to, callFlowUrl, callFlowMethod], [tn, ABROAD, 'https://a.test/flow', 'POST']);
  assert.deepEqual(
    [ringTimeoutMs, recordCalls, app?.appId, app?.maxCallLengthMs],
    [7_000, 2, sip_control_app, 180_000],
  );
});

test('POST /call: refused by the engine, the money is back and the key is free for another request', async () => {
  for (const [code, status] of [
    ['invalid', 400],
    ['conflict', 409],
  ] as const) {
    answer = refuses(code);
    assert.equal((await post()).status, status);
    assert.equal(await isKept(), false);
  }
  answer = async () => {};
  assert.equal((await post({ to: '442079460001' })).status, 201);
});

test('POST /call: without an answer the money stays, and the same request later is the same call', async () => {
  answer = refuses('unavailable');
  assert.equal((await post()).status, 503);
  assert.equal(await isKept(), true);
  assert.equal((await post({ to: '442079460001' })).status, 409, 'the key is this request’s');
  answer = async () => {};
  assert.equal((await post()).status, 201);
  assert.equal((await post()).status, 201);
  assert.deepEqual([asked, await isKept()], [[key, key], true]);
});

test('POST /call: what no trunk or rate leads to, and a document beside an address, say which field and why; nothing is kept', async () => {
  assert.deepEqual(Object.keys(new Limited('rate').fields ?? {}), ['to']);
  await scene.db.deleteFrom('trunk_account').execute();
  const unreached = await post();
  assert.deepEqual([unreached.status, unreached.body.fields as unknown], [400, { 'body.to': { message: NO_TRUNK } }]);
  const body = { to: ABROAD, tn_lease: lease.uuid, xml: '<Response/>', call_flow_url: 'https://a.test/' };
  const both = await scene.ask('POST', '/call', { as: person.jwt, body });
  assert.deepEqual([both.status, Object.keys(both.body.fields)], [400, ['body.call_flow_url']]);
  const { accountId } = person;
  const kept = await scene.db.selectFrom('ordered_call').select('id').where('account_id', '=', accountId).execute();
  assert.deepEqual([kept, await isKept(), asked], [[], false, []]);
});
