/** The flow log of an app is searched by each of its filters, in any of its orders, by its own account alone. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { openRestScene, type Person, type RestScene } from '../../testing/scene.ts';

type Search = NonNullable<NonNullable<Parameters<ReturnType<RestScene['client']>['searchCallFlowLogs']>[0]>['body']>;
const BEGAN = Date.parse('2026-03-01T00:00:00.000Z');
const at = (seconds: number) => new Date(BEGAN + seconds * 1000).toISOString();

let scene: RestScene;
let ann: Person;
let app: string;
const calls: string[] = [];

before(async () => {
  scene = await openRestScene();
  ann = await scene.signedUp();
  app = (await api(ann).createSIPControlApp({ body: { name: 'Flow' } })).uuid;
  // A Say, a Gather and a Hangup in each of three calls; the second goes out, so that the account's number is its caller.
  for (const [n, [caller, own]] of [
    ['12125550101', '13055550100'],
    ['13055550100', '13055550100'],
    ['anne_b', '13055550199'],
  ].entries()) {
    calls.push(randomUUID());
    for (const [seq, name] of ['Say', 'Gather', 'Hangup'].entries())
      await insert(calls[n]!, { seq, name, caller: caller!, own: own!, seconds: n * 10 + seq });
  }
});
after(() => scene.close());

const api = (person: Person) => scene.client({ token: person.jwt });
type Of = { seq: number; name: string; caller: string; own: string; seconds: number };
const insert = (call_id: string, { seq, name, caller, own, seconds }: Of) =>
  scene.db
    .insertInto('flow_log')
    .values({
      ...{ call_id, seq, account_id: ann.accountId, app_id: app, document: 1, path: `${name}[0]`, name },
      ...{ success: name !== 'Gather', reason: '', tag: '', caller, own_number: own, created_on: at(seconds) },
    } as never)
    .execute();

/** Each row as its call and verb: `0Say`. */
const named = ({ call, name }: { call: string; name: string }) => `${calls.indexOf(call)}${name}`;
async function found(body: Search): Promise<string> {
  const { data, total } = await api(ann).searchCallFlowLogs({ uuid: app, take: 100, body });
  assert.equal(total, data.length);
  return data.map(named).join(' ');
}

test('verbs are found by name, success, call, who calls, the account’s number and time; all of it, or any', async () => {
  assert.equal(await found({}), '2Hangup 2Gather 2Say 1Hangup 1Gather 1Say 0Hangup 0Gather 0Say');
  assert.equal(await found({ name: 'Say' }), '2Say 1Say 0Say');
  assert.equal(await found({ success: false }), '2Gather 1Gather 0Gather');
  assert.equal(await found({ call: calls[1]! }), '1Hangup 1Gather 1Say');
  assert.equal(await found({ from: '1212*', name: 'Say' }), '0Say');
  assert.equal(await found({ from: '+12125550101', name: 'Say' }), '0Say');
  assert.equal(await found({ from: '%2125550101', name: 'Say' }), '0Say');
  assert.equal(await found({ from: 'annexb' }), '');
  assert.equal(await found({ tn: 13055550100, name: 'Say' }), '1Say 0Say');
  assert.equal(await found({ tn: '*199', name: 'Say' }), '2Say');
  assert.equal(await found({ tn: '*199', from: '1212*' }), '');
  assert.equal(await found({ mode: 'OR', call: calls[2]!, name: 'Say' }), '2Hangup 2Gather 2Say 1Say 0Say');
  assert.equal(await found({ mode: 'OR', from: '1212*', success: false }), '2Gather 1Gather 0Hangup 0Gather 0Say');
  assert.equal(await found({ mode: 'OR', name: 'Say', created_on_from: at(10) }), '2Say 1Say', 'times narrow');
  assert.equal(await found({ created_on_from: at(1), created_on_to: at(10) }), '1Say 0Hangup 0Gather');
  assert.equal(await found({ modified_on_from: at(1), modified_on_to: at(10) }), '1Say 0Hangup 0Gather');
});

test('they come in any order that is asked for, the reverse of which is its reverse, page by page', async () => {
  const orders: Array<[NonNullable<Search['order']>, string]> = [
    [{ created_on: 'ASC' }, '0Say 0Gather 0Hangup 1Say 1Gather 1Hangup 2Say 2Gather 2Hangup'],
    [{ modified_on: 'DESC' }, '2Hangup 2Gather 2Say 1Hangup 1Gather 1Say 0Hangup 0Gather 0Say'],
    [{ name: 'ASC' }, '2Gather 1Gather 0Gather 2Hangup 1Hangup 0Hangup 2Say 1Say 0Say'],
    [{ from: 'ASC' }, '0Hangup 0Gather 0Say 1Hangup 1Gather 1Say 2Hangup 2Gather 2Say'],
    [{ tn: 'ASC' }, '1Hangup 1Gather 1Say 0Hangup 0Gather 0Say 2Hangup 2Gather 2Say'],
  ];
  for (const [order, expected] of orders) {
    assert.equal(await found({ order }), expected, JSON.stringify(order));
    const [[field, way]] = Object.entries(order) as [[keyof typeof order, string]];
    const reverse: Search = { order: { [field]: way === 'ASC' ? 'DESC' : 'ASC' } };
    assert.equal(await found(reverse), expected.split(' ').reverse().join(' '), JSON.stringify(reverse));
    let until: string | undefined;
    const seen: string[] = [];
    while (seen.length < 9) {
      const page = await api(ann).searchCallFlowLogs({
        ...{ uuid: app, take: 2, skip: seen.length, body: { order } },
        ...(until && { until }),
      });
      seen.push(...page.data.map(named));
      ({ until } = page);
    }
    assert.equal(seen.join(' '), expected, `${JSON.stringify(order)} by twos`);
  }
});

test('what is no filter or order is refused with the nearest that there is, and two orders at once are', async () => {
  for (const [body, message] of [
    [{ form: '1*' }, /body\.form is unknown; did you mean from\?/],
    [{ order: { nam: 'ASC' } }, /body\.order\.nam is unknown; did you mean name\?/],
    [{ order: { name: 'ASC', tn: 'ASC' } }, /body\.order must be an object of 1 field at most/],
    [{ mode: 'XOR' }, /body\.mode must be one of “AND”, “OR”/],
  ] as Array<[object, RegExp]>)
    await assert.rejects(api(ann).searchCallFlowLogs({ uuid: app, body: body as Search }), message);
});

test('another account finds none of it, by no filter', async () => {
  const bob = await scene.signedUp();
  for (const body of [{}, { from: '1212*' }, { tn: 13055550100 }, { mode: 'OR', call: calls[0]!, from: '*1*' }])
    await assert.rejects(api(bob).searchCallFlowLogs({ uuid: app, body: body as Search }), /404 /);
  const own = (await api(bob).createSIPControlApp({ body: { name: 'Own' } })).uuid;
  for (const body of [{}, { from: '*' }, { call: calls[0]! }, { mode: 'OR', tn: '*1*', success: false }])
    assert.deepEqual((await api(bob).searchCallFlowLogs({ uuid: own, body: body as Search })).data, []);
});
