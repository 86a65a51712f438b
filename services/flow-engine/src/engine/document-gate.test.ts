/** A document that takes long holds up its own call and no other; order is kept, and what is late or too much is a fault. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobFailed } from '@opentact/runtime';
import type { Parsed } from '../domain/language/parse.ts';
import { parseDocument } from '../xml/document.ts';
import { createDocumentGate } from './document-gate.ts';
import { createDocumentReader, type DocumentReader } from './document-reader.ts';
import type { Item } from './learner.ts';

/** A thread that reads when it is told to. */
function threadByHand() {
  const waiting: Array<{ xml: string; end(result: Parsed | JobFailed): void }> = [];
  const run = (xml: string) =>
    new Promise<Parsed>((resolve, reject) =>
      waiting.push({ xml, end: (result) => (result instanceof Error ? reject(result) : resolve(result)) }),
    );
  return { waiting, reader: createDocumentReader({ run, close: async () => {} }) };
}

const ordered = (callId: string, xml: string): Item => ({
  kind: 'own',
  callId,
  observed: { type: 'DocumentOrdered', idempotencyKey: xml, xml },
});
const pressed = (callId: string): Item => ({
  kind: 'own',
  callId,
  observed: { type: 'DigitPressed', leg: 0, digit: '1', durationMs: 100 },
});
const settled = () => new Promise(setImmediate);

/** A gate for calls of which nothing is known yet, and that may write unless `waitMs` says otherwise. */
const gateOf = (reader: Pick<DocumentReader, 'read'>, pass: (item: Item) => void, waitMs = (_id: string) => 0) =>
  createDocumentGate(reader, () => undefined, waitMs, pass);

test('what is told of a call waits behind its document, in order; another call goes on', async () => {
  const { waiting, reader } = threadByHand();
  const passed: Item[] = [];
  const gate = gateOf(reader, (item) => passed.push(item));
  const [first, key, second, last] = [ordered('a', '<a/>'), pressed('a'), ordered('a', '<b/>'), pressed('a')];
  assert.deepEqual(
    [first, key, second, last].map((item) => gate.holds(item)),
    [true, true, true, true],
  );
  assert.equal(gate.holds(pressed('b')), false);
  assert.equal(gate.waiting(), 4);
  waiting[0]!.end(parseDocument('<Response/>'));
  await settled();
  assert.deepEqual(passed, [first, key]);
  waiting[1]!.end(parseDocument('<Response/>'));
  await settled();
  assert.deepEqual(passed, [first, key, second, last]);
  assert.equal(gate.waiting(), 0);
  assert.equal(gate.holds(ordered('c', '<a/>')), false); // what was read is known
});

test('a call that may not write yet waits with its document and all behind it, and no other does', async () => {
  const passed: Item[] = [];
  const wait = { a: 80 } as Record<string, number>;
  const gate = gateOf(
    { read: () => undefined },
    (item) => passed.push(item),
    (id) => wait[id] ?? 0,
  );
  const [first, key] = [ordered('a', '<a/>'), pressed('a')];
  assert.deepEqual([gate.holds(first), gate.holds(key), gate.holds(ordered('b', '<a/>'))], [true, true, false]);
  await new Promise((done) => setTimeout(done, 40));
  assert.deepEqual(passed, []);
  wait.a = 0;
  await new Promise((done) => setTimeout(done, 120));
  assert.deepEqual(passed, [first, key]);
});

test('a hang-up waits for no document, and what its node told before goes with it', () => {
  const { waiting, reader } = threadByHand();
  const passed: Item[] = [];
  const gate = gateOf(reader, (item) => passed.push(item));
  const told = (observed: Item['observed'], source: string): Item =>
    ({ kind: 'fact', fact: { key: 'a', source }, observed }) as unknown as Item;
  const document = ordered('a', '<a/>');
  const [key, answered] = [pressed('a'), told({ type: 'LegConfirmed', leg: 0 } as Item['observed'], 'edge')];
  for (const item of [document, key, answered]) assert.equal(gate.holds(item), true);
  assert.equal(gate.holds(told({ type: 'LegEnded', leg: 0 } as Item['observed'], 'edge')), false);
  assert.deepEqual(passed, [answered]);
  assert.equal(gate.waiting(), 2);
  assert.equal(waiting.length, 1);
});

test('a hang-up of a call whose beginning is still read waits behind it', () => {
  const { reader } = threadByHand();
  const gate = gateOf(reader, () => assert.fail('passed on'));
  const told = (observed: unknown): Item =>
    ({ kind: 'fact', fact: { key: 'a', source: 'edge' }, observed }) as unknown as Item;
  const arrival = { type: 'CallArrived', accountId: 'account', app: { staticDocument: '<a/>' } };
  assert.deepEqual([gate.holds(told(arrival)), gate.holds(told({ type: 'LegEnded', leg: 0 }))], [true, true]);
});

test('what waits when the partition closes is given back, and nothing is passed on later', async () => {
  const { waiting, reader } = threadByHand();
  const gate = gateOf(reader, () => assert.fail('passed on'));
  gate.holds(ordered('a', '<a/>'));
  gate.holds(pressed('a'));
  assert.equal(gate.close().length, 2);
  waiting[0]!.end(parseDocument('<Response/>'));
  await settled();
});

test('a document that is never done is a fault by name, and is not tried again', async () => {
  const { waiting, reader } = threadByHand();
  const reading = reader.read('<slow/>', 'account');
  waiting[0]!.end(new JobFailed('no result', 'late'));
  await reading;
  const parsed = reader.parse('<slow/>');
  assert.match(parsed.ok ? '' : parsed.reason, /could not be read in 2000 ms/);
  assert.equal(reader.read('<slow/>', 'account'), undefined);
  assert.equal(waiting.length, 1);
});

test('one that found no room is a fault now, and is read when it comes again', async () => {
  const { waiting, reader } = threadByHand();
  const reading = reader.read('<Response/>', 'account');
  waiting[0]!.end(new JobFailed('too much work waits', 'full'));
  await reading;
  const refused = reader.parse('<Response/>');
  assert.match(refused.ok ? '' : refused.reason, /too many documents wait/);
  const again = reader.read('<Response/>', 'account');
  waiting[1]!.end(parseDocument('<Response/>'));
  await again;
  assert.equal(reader.parse('<Response/>').ok, true);
});

test('one account that finds no room takes nobody else’s with it, though they bring the same document', async () => {
  const { waiting, reader } = threadByHand();
  const mine = reader.read('<Response/>', 'busy');
  const others = reader.read('<Response/>', 'quiet');
  waiting[0]!.end(new JobFailed('too much work waits', 'full'));
  await mine;
  waiting[1]!.end(parseDocument('<Response/>'));
  await others;
  assert.equal(reader.parse('<Response/>').ok, true);
});

test('what no call has run yet is not forgotten for what is read meanwhile', async () => {
  const { waiting, reader } = threadByHand();
  const read = async (xml: string, parsed: Parsed) => {
    const reading = reader.read(xml, 'account');
    waiting.at(-1)!.end(parsed);
    await reading;
  };
  const marked = { ...parseDocument('<Response/>') };
  await read('<Response><!-- first --></Response>', marked);
  for (let n = 0; n < 100; n++) await read(`<Response><!--${n}${' '.repeat(60_000)}--></Response>`, marked);
  assert.equal(reader.parse('<Response><!-- first --></Response>'), marked);
});

test('the real thread reads, also what is read by many at once', async (t) => {
  const reader = createDocumentReader();
  t.after(() => reader.close());
  const xml = '<Response><Say>hello</Say></Response>';
  await Promise.all([reader.read(xml, 'a'), reader.read(xml, 'b')]);
  assert.deepEqual(reader.parse(xml), parseDocument(xml));
});
