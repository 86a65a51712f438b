/**
 * Calls that an API client orders, with real phones that are rung: what they hear, how they end, that an order that is
 * repeated is one call; and two live calls that are connected.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import { type Hearing, openHearing } from '../kit/hearing.ts';
import { all, eventually, openScene, outcome, type Scene, verbs } from '../kit/scene.ts';

const GREETING = 'This is the call that you have ordered.';
const WAIT = '<Response><Pause length="60000"/><Say>Now you are alone again.</Say></Response>';

let scene: Scene;
let hearing: Hearing;
let account: string;
const phones: Phone[] = [];

const rung = async (): Promise<Phone> => {
  const phone = await openPhone({ user: 'rung' });
  phones.push(phone);
  return phone;
};
const addressOf = (phone: Phone) => `sip:rung@127.0.0.1:${phone.port}`;
const order = (phone: Phone, more: Record<string, unknown> = {}) =>
  scene.platform.control.place({ account_id: account, from: '12125550100', to: addressOf(phone), xml: WAIT, ...more });

/** A call that was ordered to a phone of its own, and is answered. */
async function connected(): Promise<{ id: string; call: PhoneCall }> {
  const phone = await rung();
  const coming = new Promise<PhoneCall>((done) => {
    phone.onCall = (call) => {
      call.accept();
      done(call);
    };
  });
  const id = await order(phone);
  const call = await coming;
  await scene.platform.until(id, (e) => e.type === 'VerbStarted');
  return { id, call };
}

describe('calls that are ordered', { timeout: 120_000, concurrency: 4 }, () => {
  before(
    async () => {
      hearing = openHearing();
      scene = await openScene();
      await scene.platform.whole();
      account = JSON.parse(readFileSync(join(scene.platform.home, 'demo.json'), 'utf8')).accountId;
    },
    { timeout: 90_000 },
  );
  after(() => Promise.all([hearing?.close(), scene?.close(), ...phones.map((phone) => phone.close())]));

  it('rings, shows who calls, and runs its document once it is answered', async () => {
    const phone = await rung();
    const calls: PhoneCall[] = [];
    phone.onCall = (call) => {
      calls.push(call);
      call.ring();
      setTimeout(() => call.accept(), 300);
    };
    const key = randomUUID();
    const said = { xml: `<Response><Say>${GREETING}</Say></Response>`, idempotency_key: key, ordered_at: Date.now() };
    const ids = await Promise.all([1, 2, 3].map(() => order(phone, said)));
    assert.equal(new Set(ids).size, 1);
    const story = await scene.platform.ended(ids[0]!);
    assert.equal(outcome(story), 'document: document-end');
    assert.deepEqual(verbs(story), ['Say[0] finished']);
    assert.equal(story[0]!.type, 'CallOrdered');
    assert.equal(all(story, 'CallOrdered').length, 1);
    const [rang, answered, began] = ['LegRang', 'LegAnswered', 'VerbStarted'].map(
      (type) => story.find((e) => e.type === type)!.seq,
    );
    assert.ok(rang! < answered! && answered! < began!);
    assert.equal(calls.length, 1);
    assert.match(calls[0]!.invite!.headers.get('from') ?? '', /12125550100@/);
    await hearing.inOrder(calls[0]!.peer.heard.pcm, [GREETING]);
    // Asked for again after it is over: still the same call.
    assert.equal(await order(phone, { ...said, ordered_at: 0 }), ids[0]);
    assert.equal(calls.length, 1);
  });

  it('ends by whose doing it was: busy, rung in vain, hung up by the callee, hung up by API', async () => {
    const [busy, silent, short, long] = await Promise.all([rung(), rung(), rung(), rung()]);
    busy.onCall = (call) => call.hangup(486);
    silent.onCall = (call) => call.ring();
    short.onCall = (call) => {
      call.accept();
      setTimeout(() => call.hangup(), 500);
    };
    long.onCall = (call) => call.ring();
    const ids = await Promise.all([order(busy), order(silent, { ring_timeout_ms: 5_000 }), order(short), order(long)]);
    await scene.platform.until(ids[3]!, (e) => e.type === 'LegRang');
    assert.equal((await scene.platform.control.getCall(ids[3]!)).state, 'ringing');
    await scene.platform.control.hangup(ids[3]!, 'enough');
    const stories = await Promise.all(ids.map((id) => scene.platform.ended(id)));
    assert.deepEqual(stories.map(outcome), [
      'callee: busy',
      'callee: no-answer',
      'callee: bye',
      'customer-server: api',
    ]);
    for (const story of stories.filter((_, i) => i !== 2)) assert.equal(all(story, 'VerbStarted').length, 0);
  });

  it('is refused with the field that is wrong', async () => {
    const phone = await rung();
    for (const [wrong, says] of [
      [{ account_id: '' }, /^Error: 3 .*account_id/],
      [{ to: 'sip:a@b?Route=evil' }, /^Error: 3 .*to:/],
      [{ to: 'sip:a@b\r\nX: y' }, /^Error: 3 .*to:/],
      [{ xml: '' }, /^Error: 3 .*xml/],
      [{ xml: '<Response><Nonsense/></Response>' }, /^Error: 3 .*line 1, column/],
      [{ ring_timeout_ms: 1 }, /^Error: 3 .*ring_timeout_ms/],
      [{ call_flow_url: 'file:///etc/passwd' }, /^Error: 3 .*call_flow_url/],
    ] as const)
      await assert.rejects(order(phone, wrong), says);
  });

  it('two calls are connected, hear each other, and each goes on with its flow when the other leaves', async () => {
    const [a, b] = await Promise.all([connected(), connected()]);
    await scene.platform.control.bridge(a.id, b.id, 'together');
    await scene.platform.control.bridge(a.id, b.id, 'together');
    await scene.platform.until(a.id, (e) => e.type === 'BridgeStarted');
    const [fromA, fromB] = await Promise.all([
      hearing.words('I am the first of these two people.'),
      hearing.words('And it is me who speaks second here.'),
    ]);
    await Promise.all([a.call.peer.say(fromA), b.call.peer.say(fromB)]);
    await Promise.all([
      hearing.inOrder(b.call.peer.heard.pcm, ['I am the first of these two people.']),
      hearing.inOrder(a.call.peer.heard.pcm, ['And it is me who speaks second here.']),
    ]);
    await assert.rejects(scene.platform.control.bridge(b.id, a.id, 'again'), /^Error: 9 .*connected to another/);
    b.call.hangup();
    const story = await scene.platform.ended(a.id);
    assert.deepEqual(verbs(story), ['Pause[0] bridged', 'Bridge[0] ended', 'Say[0] finished']);
    assert.equal(outcome(story), 'document: document-end');
    await eventually(() => a.call.ended !== undefined, 'the phone was not hung up');
    await hearing.inOrder(a.call.peer.heard.pcm, ['Now you are alone again.']);
    assert.equal(outcome(await scene.platform.ended(b.id)), 'callee: bye');
    assert.equal(all(story, 'BridgeRequested').length, 1);
  });

  it('is not connected to what is over, to itself, or to another account’s call', async () => {
    const { control } = scene.platform;
    const one = await connected();
    await assert.rejects(control.bridge(one.id, one.id, 'k'), /^Error: 3 .*itself/);
    await assert.rejects(control.bridge(one.id, '00000000-0000-8000-8000-000000000000', 'k'), /^Error: 5 /);
    const other = await scene.platform.control.place({
      account_id: randomUUID(),
      from: '1',
      to: addressOf(await rung()),
      xml: WAIT,
    });
    await assert.rejects(control.bridge(one.id, other, 'k'), /^Error: 5 /);
    one.call.hangup();
    await scene.platform.ended(one.id);
    await assert.rejects(control.bridge(one.id, other, 'k'), /^Error: 9 .*ended|Error: 5 /);
    await control.hangup(other, 'over');
    await scene.platform.ended(other);
  });
});
