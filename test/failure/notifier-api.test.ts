/** `kill -9` of the notifier and of api during calls: nothing is lost; a callback repeats, if at all, under its own key. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openPhone, type Phone } from '@opentact/phone';
import { type Customer, openCustomer } from '../kit/customer.ts';
import { answered, callDocument } from '../kit/place-call.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { verbs } from '../kit/scene.ts';
import { forgetStalls, pauseOf } from '../kit/stall.ts';

let platform: Platform;
let customer: Customer;
let phone: Phone;

before(
  async () => {
    [platform, customer, phone] = await Promise.all([startPlatform(), openCustomer(), openPhone()]);
  },
  { timeout: 90_000 },
);
after(async () => {
  await Promise.all([phone?.close(), customer?.close()]);
  await platform?.stop();
});

beforeEach(forgetStalls);

test('the notifier killed with a document in flight: the next one asks under the same key, and the call goes on', {
  timeout: 60_000,
}, async () => {
  let asked = 0;
  customer.on('/doc', (response) => {
    // The first request dies with the notifier; only a second one is answered.
    if (++asked > 1) response.end('<Response><Say>Second time.</Say></Response>');
  });
  const call = await callDocument(
    platform,
    phone,
    `<Response><Say>One moment.</Say><Callback url="${customer.url}/doc"/><Say>Done.</Say></Response>`,
  );
  for (const until = Date.now() + 20_000; asked === 0; await new Promise((r) => setTimeout(r, 10)))
    if (Date.now() > until) throw new Error('never asked');
  platform.kill(await platform.serving(call.platformCallId, 'notifier'));
  const story = await platform.ended(call.platformCallId, 30_000);
  assert.deepEqual(verbs(story), [
    'Say[0] finished',
    'Callback[0] fetched',
    'Callback[0].Say[0] finished',
    'Say[1] finished',
  ]);
  assert.deepEqual(customer.count('/doc'), { requests: 2, keys: 1 });
  assert.ok(pauseOf(call.peer.heard) < 100, `RTP paused for ${call.peer.heard.longestGapMs} ms`);
});

test('api killed: calls in progress don’t notice, and a new call is answered from what its readers remember', {
  timeout: 60_000,
}, async () => {
  const number = `sip:18005550100@${platform.sip}`;
  const first = await answered(phone, () => number);
  platform.kill('api');
  const second = await answered(phone, () => number);
  second.hangup();
  first.hangup();
  for (const call of [first, second]) {
    const story = await platform.ended(call.platformCallId);
    assert.equal(story.find((e) => e.type === 'CallEnded')?.owner, 'caller');
  }
});
