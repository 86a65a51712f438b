/**
 * `kill -9` of the engine that owns a call, at each moment of it, seen in the journal and never by a sleep. The call
 * goes on at the same verb: audio doesn't pause, nothing is said twice, no callback is sent twice.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import type { CallEvent } from '@opentact/proto';
import { type Customer, openCustomer } from '../kit/customer.ts';
import { callDocument } from '../kit/place-call.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { eventually, verbs } from '../kit/scene.ts';
import { forgetStalls, pauseOf } from '../kit/stall.ts';

const GAP_MAX_MS = 100;

let platform: Platform;
let customer: Customer;
let phone: Phone;
let callee: Phone;

before(
  async () => {
    [platform, customer, phone, callee] = await Promise.all([
      startPlatform(),
      openCustomer(),
      openPhone(),
      openPhone({ user: 'callee' }),
    ]);
  },
  { timeout: 90_000 },
);
after(async () => {
  await Promise.all([phone?.close(), callee?.close(), customer?.close()]);
  await platform?.stop();
});

const dial = (xml: string): Promise<PhoneCall> => callDocument(platform, phone, xml);

const said = (story: CallEvent[]) =>
  story.flatMap((e) =>
    e.type === 'PlayRequested' ? e.items.flatMap((i) => (i.kind === 'say' ? [i.value.text] : [])) : [],
  );
beforeEach(forgetStalls);

/** Kills the engine that owns the call. @returns when, ms */
function killOwner(call: PhoneCall): number {
  const killedAt = Date.now();
  platform.kill(platform.ownerOf(call.platformCallId));
  return killedAt;
}

/** What holds after any kill: no gap in the story, no gap in the audio, nothing asked for twice. */
function unharmed(call: PhoneCall, story: CallEvent[], killedAt: number): void {
  assert.ok(
    platform.tookOverSince(call.platformCallId, killedAt).length > 0,
    'nobody took over: the kill hit no owner',
  );
  assert.deepEqual(
    story.map((e) => e.seq),
    story.map((_, i) => i + 1),
  );
  assert.equal(new Set(said(story)).size, said(story).length, `said twice: ${said(story)}`);
  assert.equal(story.filter((e) => e.type === 'CallEnded').length, 1);
  assert.ok(pauseOf(call.peer.heard) < GAP_MAX_MS, `RTP paused for ${Math.round(call.peer.heard.longestGapMs)} ms`);
}

test('killed while a prompt plays: the prompt goes on to its end, and the next verb follows', {
  timeout: 60_000,
}, async () => {
  await platform.whole();
  const call = await dial(
    '<Response><Say>This is a long sentence that goes on while its engine dies.</Say><Say>And this one follows.</Say></Response>',
  );
  await platform.until(call.platformCallId, (e) => e.type === 'LegConfirmed');
  const killedAt = killOwner(call);
  const story = await platform.ended(call.platformCallId);
  assert.deepEqual(verbs(story), ['Say[0] finished', 'Say[1] finished']);
  unharmed(call, story, killedAt);
});

test('killed with digits half entered: the other digits complete the code', { timeout: 60_000 }, async () => {
  await platform.whole();
  const call = await dial(
    '<Response><Gather numDigits="4" timeout="15000"><Say>Enter four digits.</Say><Switch><Case dtmf="1234"><Say>Right.</Say></Case><Default><Say>Wrong.</Say></Default></Switch></Gather></Response>',
  );
  await platform.until(call.platformCallId, (e) => e.type === 'PlayRequested');
  await call.peer.press('1');
  await call.peer.press('2');
  await platform.until(call.platformCallId, (e) => e.type === 'DigitPressed' && e.digit === '2');
  const killedAt = killOwner(call);
  await call.peer.press('3');
  await call.peer.press('4');
  const story = await platform.ended(call.platformCallId);
  assert.deepEqual(verbs(story), ['Gather[0] entered 1234', 'Gather[0].Case[0].Say[0] finished']);
  unharmed(call, story, killedAt);
});

test('killed while dialling: the callee rings once, answers, and is connected', { timeout: 60_000 }, async () => {
  await platform.whole();
  let rang = 0;
  callee.onCall = (incoming) => {
    rang++;
    incoming.ring();
    incoming.on('ended', () => undefined);
  };
  const call = await dial(
    `<Response><Say>Dialling.</Say><Dial><Sip>callee@127.0.0.1:${callee.port}</Sip></Dial><Say>Back again.</Say></Response>`,
  );
  await platform.until(call.platformCallId, (e) => e.type === 'LegRang' && e.leg === 1);
  const killedAt = killOwner(call);
  const incoming = [...callee.calls.values()].at(-1)!;
  incoming.accept();
  await platform.until(call.platformCallId, (e) => e.type === 'BridgeStarted');
  incoming.hangup();
  const story = await platform.ended(call.platformCallId);
  assert.deepEqual(verbs(story), ['Say[0] finished', 'Dial[0] callee-hung-up', 'Say[1] finished']);
  assert.equal(rang, 1);
  unharmed(call, story, killedAt);
});

test('killed while bridged: both go on talking, and the caller’s flow goes on when the callee leaves', {
  timeout: 60_000,
}, async () => {
  await platform.whole();
  callee.onCall = (incoming) => incoming.accept();
  const call = await dial(
    `<Response><Dial><Sip>callee@127.0.0.1:${callee.port}</Sip></Dial><Say>Back again.</Say></Response>`,
  );
  await platform.until(call.platformCallId, (e) => e.type === 'BridgeStarted');
  const incoming = [...callee.calls.values()].at(-1)!;
  const killedAt = killOwner(call);
  await new Promise((r) => setTimeout(r, 2_000));
  assert.ok(
    pauseOf(incoming.peer.heard) < GAP_MAX_MS,
    `the callee heard nothing for ${incoming.peer.heard.longestGapMs} ms`,
  );
  incoming.hangup();
  const story = await platform.ended(call.platformCallId);
  assert.deepEqual(verbs(story), ['Dial[0] callee-hung-up', 'Say[0] finished']);
  unharmed(call, story, killedAt);
});

test('killed while recording: the key ends it, and the recording is whole', { timeout: 60_000 }, async () => {
  await platform.whole();
  const call = await dial('<Response><Record tag="r"/><Say>Recorded.</Say></Response>');
  await platform.until(call.platformCallId, (e) => e.type === 'RecordRequested');
  const killedAt = killOwner(call);
  // Whether media was asked before the kill or by whoever took over: from here on it records.
  await eventually(() => platform.tookOverSince(call.platformCallId, killedAt).length > 0, 'nobody took over');
  await new Promise((r) => setTimeout(r, 2_000));
  const pressedAt = Date.now();
  await call.peer.press('#');
  const story = await platform.ended(call.platformCallId);
  const finished = story.find((e) => e.type === 'RecordFinished');
  assert.deepEqual(verbs(story), ['Record[0] key', 'Say[0] finished']);
  assert.ok(
    finished?.type === 'RecordFinished' &&
      finished.durationMs > 1_500 &&
      finished.durationMs < pressedAt - killedAt + 1_500,
    JSON.stringify(finished),
  );
  unharmed(call, story, killedAt);
});

test('killed with a document in flight: the one answer of the customer’s server is run, and it is asked once', {
  timeout: 60_000,
}, async () => {
  await platform.whole();
  let release = () => {};
  const held = new Promise<void>((done) => {
    release = done;
  });
  customer.on('/held', async (response) => {
    await held;
    response.end('<Response><Say>Fetched at last.</Say></Response>');
  });
  const call = await dial(
    `<Response><Say>One moment.</Say><Callback url="${customer.url}/held"/><Say>Done.</Say></Response>`,
  );
  for (
    const until = Date.now() + 20_000;
    customer.count('/held').requests === 0;
    await new Promise((r) => setTimeout(r, 10))
  )
    if (Date.now() > until) throw new Error('the customer was never asked');
  const killedAt = killOwner(call);
  setTimeout(release, 300);
  const story = await platform.ended(call.platformCallId);
  assert.deepEqual(verbs(story), [
    'Say[0] finished',
    'Callback[0] fetched',
    'Callback[0].Say[0] finished',
    'Say[1] finished',
  ]);
  assert.deepEqual(customer.count('/held'), { requests: 1, keys: 1 });
  unharmed(call, story, killedAt);
});
