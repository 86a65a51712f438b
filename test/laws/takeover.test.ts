/** What a new owner knows of calls that ended, lived long, or can't be folded; and an owner that is flooded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callIdOfInvite } from '@opentact/proto';
import { partitionOf } from '@opentact/runtime';
import { JOURNAL } from '../../services/flow-engine/src/engine/story.ts';
import { createOwner, type Owner } from '../kit/owner.ts';

const callId = callIdOfInvite('secret', 'takeover', 'tag', 1);
/** Another call of the same partition. */
const other = (() => {
  for (let i = 0; ; i++) {
    const id = callIdOfInvite('secret', `other-${i}`, 'tag', 1);
    if (partitionOf(id, 8) === partitionOf(callId, 8)) return id;
  }
})();
const WAIT = '<Response><Gather timeout="600000"/></Response>';
const press = (owner: Owner, digit: string) =>
  owner.report(callId, { type: 'DigitPressed', leg: 0, digit, durationMs: 1 });
const bye = { type: 'LegEnded', leg: 0, by: 'peer', status: 0, q850: 16, reason: 'bye' } as const;
const types = async (owner: Owner, id = callId) => (await owner.story(id)).map((e) => e.type);

async function settled(owner: Owner): Promise<void> {
  await owner.until(async () => (await types(owner)).includes('SessionReleased'));
}

/** A call that is snapshotted while it lives and then ends. */
async function longCall(owner: Owner): Promise<void> {
  await owner.take(callId);
  owner.arrive(callId, WAIT);
  await owner.until(async () => (await types(owner)).includes('VerbStarted'));
  owner.later(70_000);
  press(owner, '*'); // this append snapshots what held the mark back for a minute
  await owner.until(async () => (await types(owner)).includes('DigitPressed'));
}

test('a call that was snapshotted while it lived and then ended stays ended at every later owner', async (t) => {
  const owner = createOwner(t, {});
  await longCall(owner);
  owner.report(callId, bye);
  await settled(owner);
  const before = await types(owner);
  for (const wait of [0, 40_000, 40_000, 400_000]) {
    owner.later(wait);
    await owner.partition().release();
    const asked = owner.asked.length;
    await owner.take(callId);
    await new Promise((r) => setTimeout(r, 60));
    assert.deepEqual(
      owner.asked.slice(asked).filter((e) => e.callId === callId),
      [],
      `asked again after ${wait} ms`,
    );
    owner.arrive(other, WAIT); // traffic that moves the mark
    await owner.until(async () => (await types(owner, other)).includes('VerbStarted'));
    owner.report(other, bye);
    await owner.until(async () => (await types(owner, other)).filter((t) => t === 'CallEnded').length >= 1);
  }
  assert.deepEqual(await types(owner), before);
});

test('a forgotten call leaves no snapshot behind, whatever else is appended meanwhile', async (t) => {
  const owner = createOwner(t, {});
  await longCall(owner);
  owner.report(callId, bye);
  await settled(owner);
  owner.later(400_000);
  const snapshots = async () => {
    const keys: string[] = [];
    for await (const { key, bytes } of owner.log.snapshots(JOURNAL, partitionOf(callId, 8))) if (bytes) keys.push(key);
    return keys;
  };
  await owner.until(async () => !(await snapshots()).includes(callId));
});

test('a live call goes on at a new owner, however old it is', async (t) => {
  const owner = createOwner(t, {});
  await longCall(owner);
  owner.later(100_000);
  press(owner, '*');
  await owner.until(async () => (await types(owner)).filter((t) => t === 'DigitPressed').length === 2);
  await owner.partition().release();
  await owner.take(callId);
  owner.report(callId, bye);
  await settled(owner);
  const story = await owner.story(callId);
  assert.deepEqual(
    story.map((e) => e.seq),
    story.map((_, i) => i + 1),
  );
});

test('an owner that slept through its fencing notices it without having anything to write', async (t) => {
  const owner = createOwner(t, {});
  const first = await owner.take(callId);
  await owner.take(callId); // by another engine, while the first is frozen
  owner.later(3_000);
  await owner.until(() => !first.isReady());
});

test('a story that can’t be folded faults that call only, once', async (t) => {
  const owner = createOwner(t, {});
  await owner.take(callId);
  owner.arrive(callId, WAIT);
  await owner.until(async () => (await types(owner)).includes('VerbStarted'));
  await owner.partition().release();
  const { encodeEvent } = await import('@opentact/proto');
  const writer = await owner.log.take(JOURNAL, partitionOf(callId, 8));
  const seq = (await owner.story(callId)).length + 1;
  const impossible = encodeEvent({
    type: 'VerbStarted',
    callId,
    seq,
    at: Date.now(),
    document: 9,
    path: 'Say[9]',
    name: 'Say',
    tag: '',
  });
  await writer.append({
    records: [{ key: callId, headers: { type: 'VerbStarted', seq: String(seq) }, bytes: impossible }],
  });
  for (let owners = 0; owners < 2; owners++) {
    await owner.take(callId);
    owner.arrive(other, WAIT);
    await owner.until(async () => (await types(owner, other)).includes('CallArrived'));
    await owner.until(async () => (await types(owner)).includes('CallEnded'));
    await owner.partition().release();
  }
  assert.equal((await types(owner)).filter((t) => t === 'CallFaulted').length, 1);
  assert.equal((await types(owner)).filter((t) => t === 'CallEnded').length, 1);
});

test('a call whose release nobody answers settles all the same, and the audit frees what is left', {
  timeout: 20_000,
}, async (t) => {
  const owner = createOwner(t, {}, (event) => event.type !== 'ReleaseRequested' && event.type !== 'PlayRequested');
  await owner.take(callId);
  owner.arrive(callId, '<Response><Say>never heard to its end</Say></Response>');
  await owner.until(async () => (await types(owner)).includes('PlayRequested'));
  owner.report(callId, bye);
  await owner.until(async () => (await types(owner)).includes('CallEnded'));
  owner.later(6_000);
  await owner.until(async () => (await types(owner)).includes('RequestFailed'));
  await owner.partition().audit([callId], { name: 'media', boot: 'b', kind: 'media', loadPercent: 0, isNear: false });
  assert.deepEqual(owner.gone, [callId]);
});

test('an owner that is flooded keeps its timers and asks for the facts that didn’t fit', {
  timeout: 20_000,
}, async (t) => {
  const owner = createOwner(t, {});
  await owner.take(callId);
  owner.arrive(callId, '<Response><Gather timeout="300"/></Response>');
  await owner.until(async () => (await types(owner)).includes('TimerSet'));
  const opened = owner.opened.length;
  for (let i = 0; i < 25_000; i++) press(owner, '*');
  await owner.until(() => owner.opened.length > opened, 15_000);
  await owner.until(async () => (await types(owner)).includes('CallEnded'));
});

test('every owner knows where a call that lives began, also one that never read its beginning', async (t) => {
  const owner = createOwner(t, {});
  await longCall(owner);
  const began = owner.partition().remembered(callId)!.began!;
  let position = 0;
  for await (const first of owner.log.replay(JOURNAL, owner.partition().number, began)) {
    assert.deepEqual([first.key, first.headers.seq], [callId, '1']);
    ({ position } = first);
    break;
  }
  await owner.partition().release();
  await owner.take(callId);
  const mark = await owner.log.lowWater(JOURNAL, owner.partition().number);
  assert.ok(mark > position, `the mark at ${mark} still lies before the call`);
  assert.equal(owner.partition().remembered(callId)?.began, began);
});
