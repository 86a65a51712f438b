/** `kill -9` during a call that was ordered by API, while it rings and while it is connected to another: it goes on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { all, outcome, verbs } from '../kit/scene.ts';

let platform: Platform;
let account: string;
const phones: Phone[] = [];

before(
  async () => {
    platform = await startPlatform();
    await platform.whole();
    account = JSON.parse(readFileSync(join(platform.home, 'demo.json'), 'utf8')).accountId;
  },
  { timeout: 90_000 },
);
after(async () => {
  await Promise.all(phones.map((phone) => phone.close()));
  await platform?.stop();
});

/** Orders a call to a phone of its own. @returns it with what the phone hears of it */
async function ordered(xml: string, answers: boolean): Promise<{ id: string; calls: PhoneCall[] }> {
  const phone = await openPhone({ user: 'rung' });
  phones.push(phone);
  const calls: PhoneCall[] = [];
  phone.onCall = (call) => {
    calls.push(call);
    if (answers) call.accept();
    else call.ring();
  };
  const to = `sip:rung@127.0.0.1:${phone.port}`;
  const id = await platform.control.place({ account_id: account, from: '12125550100', to, xml });
  return { id, calls };
}

const victims: Array<[string, (id: string) => Promise<string> | string]> = [
  ['its flow engine', (id) => platform.ownerOf(id)],
  ['its edge', (id) => platform.serving(id, 'sip-edge')],
  ['its media', (id) => platform.serving(id, 'media')],
];

for (const [name, victim] of victims)
  test(`${name} killed while the callee’s phone rings: it rings on, and once answered the document is heard`, {
    timeout: 60_000,
  }, async () => {
    const { id, calls } = await ordered('<Response><Say>Here I am.</Say></Response>', false);
    await platform.until(id, (e) => e.type === 'LegRang');
    platform.kill(await victim(id));
    await platform.whole();
    calls[0]!.accept();
    const story = await platform.ended(id, 30_000);
    assert.deepEqual(verbs(story), ['Say[0] finished']);
    assert.equal(outcome(story), 'document: document-end');
    assert.equal(calls.length, 1, 'the phone was called twice');
    assert.equal(all(story, 'CallOrdered').length, 1);
  });

test('the media of two connected calls killed: they meet again on another node', { timeout: 60_000 }, async () => {
  const wait = '<Response><Pause length="60000"/></Response>';
  const [a, b] = await Promise.all([ordered(wait, true), ordered(wait, true)]);
  await Promise.all([a, b].map(({ id }) => platform.until(id, (e) => e.type === 'VerbStarted')));
  await platform.control.bridge(a.id, b.id, 'pair');
  await platform.until(a.id, (e) => e.type === 'BridgeStarted');
  platform.kill(await platform.serving(a.id, 'media'));
  // The host asks the other again, and the bridge is made where it went.
  await platform.until(a.id, (e) => e.type === 'NodeLost' && e.kind === 'media');
  const again = await platform.until(a.id, (e) => e.type === 'PeerJoined' && !e.hosts && e.seq > 0, 30_000);
  assert.ok(again);
  const { seq } = await platform.until(a.id, (e) => e.type === 'NodeLost');
  await platform.until(a.id, (e) => e.type === 'BridgeStarted' && e.seq > seq, 30_000);
  a.calls[0]!.hangup();
  const story = await platform.ended(b.id, 30_000);
  assert.deepEqual(verbs(story).slice(0, 1), ['Pause[0] bridged']);
  assert.equal(outcome(await platform.ended(a.id)), 'callee: bye');
});
