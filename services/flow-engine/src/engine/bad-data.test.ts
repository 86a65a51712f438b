/**
 * Data of one call that can't be read faults that call and leaves every other of its partition as it was; what a newer
 * version wrote still stops the reader. One call may write so much and no more.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryServer, type EventLog, memoryLog, type NewRecord } from '@opentact/event-log';
import type { CallEvent } from '@opentact/proto';
import { wholeCallObject } from '@opentact/proto/call-view';
import { createLogger, partitionOf } from '@opentact/runtime';
import { type Call, newCall } from '../domain/call.ts';
import { stepWith } from '../domain/step.ts';
import { canonical } from '../replay/story.ts';
import { arrived } from '../simulate/simulate.ts';
import { parseDocument } from '../xml/document.ts';
import { createLearner } from './learner.ts';
import * as memory from './memory.ts';
import { callOf, JOURNAL, recordOf, snapshotOf } from './story.ts';

const [GOOD, BAD] = ['11111111-2222-8333-8444-555555550000', '11111111-2222-8333-8444-666666660000'];
const XML = '<Response><Say>hello</Say><Pause length="1000"/></Response>';
const quiet = createLogger({ service: 'test', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const step = stepWith(parseDocument);

/** The first step of a call of that id, as records and as the state it leads to. */
function begun(id: string): { records: NewRecord[]; call: Call; events: CallEvent[] } {
  const { call, events } = step(newCall(id), arrived({ xml: XML }), 1_000);
  return { call, events, records: events.map(recordOf) };
}

/** A log in memory whose one partition holds these, all in one append. */
async function logWith(
  records: NewRecord[],
  snapshots: Array<{ key: string; bytes: Uint8Array }> = [],
): Promise<{ log: EventLog; partition: number }> {
  const log = memoryLog(createMemoryServer());
  const partition = partitionOf(GOOD, log.partitions);
  const writer = await log.take(JOURNAL, partition);
  await writer.append({ records, snapshots });
  return { log, partition };
}

test('a snapshot that is none is no snapshot: the story is folded from its start', async () => {
  const { records, call } = begun(GOOD);
  const state = JSON.parse(new TextDecoder().decode(snapshotOf(call, 0))) as {
    v: number;
    call: Record<string, unknown>;
  };
  const domain = { domain: 'acme.test', createdAt: 1, modifiedAt: 1 };
  const broken: Array<Record<string, unknown> | string> = [
    'no json',
    '{}',
    '[]',
    'null',
    '{"v":2}',
    '{"v":2,"call":null}',
    '{"v":2,"call":{}}',
    { ...state, v: 99 },
    { ...state, call: { ...state.call, id: BAD } },
    { ...state, written: 'many' },
    // Each field in turn is something else.
    ...Object.keys(state.call)
      .filter((name) => name !== 'ended' && name !== 'ending')
      .flatMap((name) =>
        [null, 7.5, 'x', [7], { a: 7 }].map((value) => ({ ...state, call: { ...state.call, [name]: value } })),
      ),
    ...[7, { account: {} }, { number: { number: '1', lease: {} } }, { domain: { ...domain, createdAt: 1e300 } }].map(
      (attribution) => ({ ...state, call: { ...state.call, view: { ...call.view, attribution } } }),
    ),
  ];
  for (const snapshot of broken) {
    const text = typeof snapshot === 'string' ? snapshot : JSON.stringify(snapshot);
    const { log, partition } = await logWith(records, [{ key: GOOD, bytes: Buffer.from(text) }]);
    const { calls, broken: faults } = await memory.load(log, partition, 2_000);
    const found = calls.get(GOOD)?.call;
    // Whatever passed the check can be gone on with; everything else was folded anew.
    if (text !== JSON.stringify({ ...state })) assert.equal(found?.id, GOOD, text.slice(0, 200));
    assert.equal(faults.size, 0, text.slice(0, 200));
    const said = { type: 'LegEnded', leg: 0, by: 'peer', status: 0, q850: 16, reason: 'bye' } as const;
    assert.doesNotThrow(() => wholeCallObject(step(found!, said, 3_000).call.view!), text.slice(0, 200));
  }
});

test('a snapshot keeps whose the call is', () => {
  const domain = { domain: 'acme.test', createdAt: 1, modifiedAt: 1 };
  const { call } = step(newCall(GOOD), { ...arrived({ xml: XML }), attribution: { domain } } as never, 1_000);
  assert.equal(wholeCallObject(callOf(GOOD, snapshotOf(call, 0))!.call.view!).sip_domain?.domain, 'acme.test');
});

test('a snapshot of nothing that is in the journal is buried', async () => {
  const { log, partition } = await logWith([], [{ key: GOOD, bytes: Buffer.from('{}') }]);
  const { calls, tombstones } = await memory.load(log, partition, 2_000);
  assert.deepEqual([calls.size, tombstones], [0, [GOOD]]);
});

for (const [what, spoil] of [
  ['random bytes', (r: NewRecord) => ({ ...r, bytes: Buffer.from('ffff07aa', 'hex') })],
  ['no bytes', (r: NewRecord) => ({ ...r, bytes: new Uint8Array() })],
  ['half of its bytes', (r: NewRecord) => ({ ...r, bytes: r.bytes.subarray(0, r.bytes.length >> 1) })],
  ['a schema that is no number', (r: NewRecord) => ({ ...r, headers: { ...r.headers, schema: 'x' } })],
  ['a type that is none', (r: NewRecord) => ({ ...r, headers: { ...r.headers, type: 'no type \u0000' } })],
  ['no headers and half its bytes', (r: NewRecord) => ({ ...r, headers: {}, bytes: r.bytes.subarray(0, 9) })],
  ['the event of another place', (r: NewRecord) => ({ ...r, headers: { ...r.headers, seq: '3' } })],
  ['the event of another call', (r: NewRecord) => ({ ...r, key: BAD })],
] as const)
  test(`a row that holds ${what} faults its call alone, and the partition opens`, async () => {
    const [good, bad] = [begun(GOOD), begun(BAD)];
    const spoiled = bad.records.map((r, n) => (n === 1 ? spoil({ ...r, headers: { ...r.headers } }) : r));
    const spoiledRow = what === 'the event of another call' ? [{ ...good.records[0]!, key: BAD }] : spoiled;
    const { log, partition } = await logWith([...spoiledRow, ...good.records]);
    const { calls, broken } = await memory.load(log, partition, 2_000);
    assert.deepEqual([...broken.keys()], [BAD]);
    assert.equal(canonical(calls.get(GOOD)?.call), canonical(good.call));
  });

test('what a newer version wrote stops the reader', async () => {
  for (const headers of [{ schema: '99' }, { type: 'SomethingNew' }] as Array<Record<string, string>>) {
    const [first, ...others] = begun(GOOD).records;
    const newer = { ...first!, headers: { ...first!.headers, ...headers } };
    const { log, partition } = await logWith([newer, ...others]);
    await assert.rejects(memory.load(log, partition, 2_000), { name: 'UnknownEvent' });
  }
});

/** Learns facts into one call, one each `everyMs`, until it ends or all are told. */
function learnAll(observed: () => Iterable<Parameters<typeof step>[1]>, everyMs = 0) {
  const calls = new Map<string, memory.Remembered>();
  const link = { unknown() {}, known() {}, gap() {} };
  let now = 1_000;
  const needs = { link, step, now: () => now, logger: quiet, pick: () => ({ node: 'n', boot: 'b' }) };
  const learner = createLearner(needs, calls, 1);
  calls.set(GOOD, memory.remember(newCall(GOOD)));
  const events: NewRecord[] = [];
  const own = (fact: Parameters<typeof step>[1]) =>
    learner.learn([{ kind: 'own', callId: GOOD, observed: fact }], events.length).records;
  for (const fact of observed()) {
    events.push(...own(fact));
    if (calls.get(GOOD)?.call.ended) break;
    now += everyMs;
  }
  return { call: calls.get(GOOD)!.call, events };
}

test('a call that writes more events than its budget is faulted by name, and ends by its document', () => {
  const { call, events } = learnAll(function* () {
    yield arrived({ xml: XML });
    for (let n = 0; n < 100_000; n++) yield { type: 'DigitPressed', leg: 0, digit: '1', durationMs: 80 };
  }, 100);
  assert.ok(events.length > memory.CALL_EVENTS_MAX && events.length < memory.CALL_EVENTS_MAX + 50, `${events.length}`);
  assert.deepEqual([call.state, call.ended?.owner, call.ended?.reason], ['faulted', 'document', 'budget']);
});

test('a call that writes more bytes than its budget is faulted as well', () => {
  const sdp = 'v'.repeat(20_000);
  const { call, events } = learnAll(function* () {
    yield arrived({ xml: XML });
    for (let n = 0; n < 5_000; n++) yield { type: 'OfferReceived', leg: 0, sdp, transaction: `1 ${n}` };
  }, 1_000);
  const bytes = events.reduce((sum, r) => sum + r.bytes.length, 0);
  assert.ok(bytes < memory.CALL_BYTES_MAX + 100_000, `${bytes}`);
  assert.equal(call.ended?.reason, 'budget');
});

test('a call that writes faster than it may is faulted long before it has written all', () => {
  const loop = function* () {
    yield arrived({ xml: XML });
    for (let n = 0; n < 100_000; n++) yield { type: 'DigitPressed', leg: 0, digit: '1', durationMs: 80 } as const;
  };
  const fast = learnAll(loop, 1);
  assert.ok(fast.events.length > 1_450 && fast.events.length < 1_600, `${fast.events.length}`);
  assert.deepEqual([fast.call.ended?.owner, fast.call.ended?.reason], ['document', 'budget']);
  const fault = fast.events
    .map(({ bytes }) => new TextDecoder().decode(bytes))
    .find((text) => text.includes('budget:'));
  assert.match(fault ?? '', /1500 events, and 50 a second/);

  const sdp = 'v'.repeat(20_000);
  const large = learnAll(function* () {
    yield arrived({ xml: XML });
    for (let n = 0; n < 5_000; n++) yield { type: 'OfferReceived', leg: 0, sdp, transaction: `1 ${n}` };
  }, 10);
  const bytes = large.events.reduce((sum, r) => sum + r.bytes.length, 0);
  assert.ok(bytes < 4.3 * 1024 * 1024, `${bytes}`);
  assert.equal(large.call.ended?.reason, 'budget');
});

test('verbs that take no time are bounded in one step', () => {
  const metas = Array.from({ length: 1_990 }, (_, n) => `<Meta name="a${n}" value="1"/>`).join('');
  const { call, events } = learnAll(function* () {
    yield arrived({ xml: `<Response>${metas}</Response>`, autoAnswer: false });
    yield { type: 'NodeAssigned', requestId: 3, kind: 'media', node: 'media', boot: 'b' };
  });
  assert.ok(events.length < 800, `${events.length}`);
  assert.deepEqual([call.state, call.ended?.owner, call.ended?.reason], ['faulted', 'document', 'budget']);
});

test('snapshots of a call are never more than its events, and a state that none holds is a budget', () => {
  const entry = memory.remember(newCall(GOOD));
  entry.call = { ...begun(GOOD).call, flow: { ...begun(GOOD).call.flow, padding: 'x'.repeat(300_000) } } as Call;
  memory.note(entry, 0, 1_000, 100, 20_000);
  assert.equal(memory.wantsSnapshot(entry), true);
  const first = memory.takeSnapshot(entry)!;
  let [written, snapshots] = [0, 0];
  for (let n = 0; n < 1_000; n++) {
    memory.note(entry, n, 1_000, 10, 2_000);
    written += 2_000;
    if (memory.wantsSnapshot(entry)) snapshots += memory.takeSnapshot(entry)!.bytes.length;
  }
  assert.ok(first.bytes.length > 300_000 && snapshots > 0 && snapshots <= written, `${snapshots} of ${written}`);
  assert.equal(memory.overBudget(entry), undefined);
  entry.call = { ...entry.call, flow: { ...entry.call.flow, padding: 'x'.repeat(1_100_000) } } as Call;
  assert.equal(memory.takeSnapshot(entry), undefined);
  assert.match(memory.overBudget(entry) ?? '', /^budget: a state/);
});
