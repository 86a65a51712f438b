/** Real stories through the journal's partition, with a death at every write and two writers at once. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createMemoryServer, type EventLog, faulty, LogError, memoryLog } from '@opentact/event-log';
import { type CallEvent, encodeEvent, type Fact, readStoryFile, versionOf } from '@opentact/proto';
import type { PublicCall } from '@opentact/proto/call-view';
import { createLogger, partitionOf } from '@opentact/runtime';
import { project } from '../domain/project.ts';
import type { PublicEvent } from '../domain/public-event.ts';
import { envelopeOf } from './envelope.ts';
import { JOURNAL, PUBLIC, runProjector } from './projector.ts';
import { servePublicEvents } from './serve.ts';

const CALLS = fileURLToPath(new URL('../../../../test/replay/calls/', import.meta.url));
const logger = createLogger({ service: 't', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const call = (n: number) => `00000000-0000-8000-8000-0000000${n}0000`;
/** Keys of one partition, one for each story. */
const KEYS = Array.from({ length: 90 }, (_, n) => call(n + 10))
  .filter((key) => partitionOf(key, 8) === 3)
  .slice(0, 5);
const PARTITION = 3;

function storyOf(name: string, callId: string): CallEvent[] {
  return readStoryFile(readFileSync(`${CALLS}${name}`, 'utf8')).events.map((event) => ({ ...event, callId }));
}

const names = readdirSync(CALLS).filter((name) => name.endsWith('.story'));
/** The caller hangs up while he is recorded: the recording's end follows the call's. */
function hungUpWhileRecorded(callId: string): CallEvent[] {
  const story = storyOf('seed-key-2.story', callId);
  const begun = story.slice(0, story.findIndex(({ type }) => type === 'RecordRequested') + 1);
  const { seq: requestId, to, ...asked } = begun.at(-1) as Extract<CallEvent, { type: 'RecordRequested' }>;
  const { recordingId } = asked;
  const facts: Array<Fact & { to?: typeof to }> = [
    { type: 'LegEnded', leg: 0, by: 'peer', status: 0, q850: 16, reason: 'bye' },
    { type: 'CallEnded', owner: 'caller', reason: 'bye', q850: 16, durationMs: 5000 },
    { type: 'ReleaseRequested', leg: 0, to },
    { type: 'RecordFinished', requestId, recordingId, durationMs: 4000, reason: 'released' },
    { type: 'SessionReleased', requestId: requestId + 3, leg: 0 },
  ];
  return [...begun, ...facts.map((fact, n) => ({ ...fact, callId, seq: requestId + 1 + n, at: asked.at + n }))];
}

const stories = [
  ...['seed-key-2.story', 'seed-hangup.story', 'seed-key-2-busy.story', 'media-and-edge-lost.story'].map((name, n) =>
    storyOf(name, KEYS[n]!),
  ),
  hungUpWhileRecorded(KEYS[4]!),
];

/** All stories at once, as their partition would hold them: the owner's word first, then in turns. */
function* interleaved(): Generator<CallEvent> {
  const longest = Math.max(...stories.map((story) => story.length));
  for (let n = 0; n < longest; n++) yield* stories.flatMap((story) => story[n] ?? []);
}

function told(events: Iterable<CallEvent>): PublicEvent[] {
  const calls = new Map<string, PublicCall>();
  return [...events].flatMap((event) => {
    const { call, told } = project(calls.get(event.callId), event);
    if (call) calls.set(event.callId, call);
    else calls.delete(event.callId);
    return told;
  });
}

async function fill(log: EventLog, pauseMs = -1): Promise<void> {
  const writer = await log.take(JOURNAL, PARTITION);
  await writer.append({ records: [{ key: '', headers: { type: 'PartitionTaken' }, bytes: new Uint8Array() }] });
  const records = [...interleaved()].map((event) => {
    const headers = { type: event.type, seq: String(event.seq), schema: String(versionOf(event.type)) };
    return { key: event.callId, headers, bytes: encodeEvent(event) };
  });
  for (let n = 0; n < records.length; n += 8) {
    await writer.append({ records: records.slice(n, n + 8) });
    if (pauseMs >= 0) await sleep(pauseMs);
  }
}

async function written(log: EventLog): Promise<Array<Record<string, unknown>>> {
  const found: Array<Record<string, unknown>> = [];
  for await (const { bytes } of log.replay(PUBLIC, PARTITION, 0)) found.push(JSON.parse(Buffer.from(bytes).toString()));
  return found;
}

const expected = () => JSON.parse(JSON.stringify(told(interleaved()).map(envelopeOf)));

/** Lets a projector write until everything is told, or `ended` says so. */
async function runUntil(log: EventLog, reader: EventLog, ended: () => boolean = () => false): Promise<unknown> {
  const stop = new AbortController();
  const wanted = expected().length;
  const running = runProjector({ log, partition: PARTITION, signal: stop.signal, logger, pauseMs: 0 }).then(
    () => undefined,
    (error: unknown) => error,
  );
  let over = false;
  void running.then(() => {
    over = true;
  });
  for (const until = Date.now() + 20_000; Date.now() < until && !over && !ended(); await sleep(2))
    if ((await written(reader)).length >= wanted) break;
  stop.abort();
  return ended() ? undefined : running;
}

test('a partition is told whole and in order, from the beginning of the journal', async () => {
  const log = memoryLog();
  await fill(log);
  await runUntil(log, log);
  const events = await written(log);
  assert.deepEqual(events, expected());
  assert.equal(new Set(events.map(({ uuid }) => uuid)).size, events.length, 'every id is another');
  const left = [];
  for await (const { key } of log.snapshots(PUBLIC, PARTITION)) left.push(key);
  assert.deepEqual(left, ['journal'], 'of calls that are over nothing is kept');
});

for (const what of ['die', 'unavailable'] as const)
  for (const when of ['before', 'after'] as const)
    test(`${what} ${when} any write: nothing is told twice, nothing is left out`, async () => {
      let faults = 0;
      for (let at = 1; at < 400; at++) {
        const server = createMemoryServer();
        const reader = memoryLog(server);
        let isDead = false;
        const died = () => {
          isDead = true;
        };
        const broken = faulty(memoryLog(server), { at, when, what, died });
        // Written while it is read, so that the appends are many and small.
        const filling = fill(reader, 0);
        const error = await runUntil(broken, reader, () => isDead);
        if (isDead || error) faults++;
        await filling;
        await runUntil(memoryLog(server), reader);
        assert.deepEqual(await written(reader), expected(), `operation ${at}`);
        if (broken.operations() < at) break;
      }
      assert.ok(faults > 8, `${faults} faults`);
    });

test('two that both think they write a partition fence each other, and it is whole all the same', async () => {
  const server = createMemoryServer();
  const reader = memoryLog(server);
  const stop = new AbortController();
  let fenced = 0;
  async function fight(): Promise<void> {
    const log = memoryLog(server);
    while (!stop.signal.aborted) {
      await runProjector({ log, partition: PARTITION, signal: stop.signal, logger, pauseMs: 0 }).catch((error) => {
        assert.ok(error instanceof LogError && error.code === 'fenced', String(error));
        fenced++;
      });
      await sleep(Math.random() * 6);
    }
  }
  const fighters = [fight(), fight()];
  await fill(reader, 8);
  for (const until = Date.now() + 20_000; Date.now() < until && (await written(reader)).length < expected().length; )
    await sleep(5);
  stop.abort();
  await Promise.all(fighters);
  assert.deepEqual(await written(reader), expected());
  assert.ok(fenced > 3, `${fenced} fenced`);
});

test('notifiers share the partitions; what a killed one wrote another goes on with', async (t) => {
  const server = createMemoryServer();
  const reader = memoryLog(server);
  const notifiers = await Promise.all(
    ['notifier-1', 'notifier-2'].map(async (name) => {
      const log = memoryLog(server);
      await log.registry.join({ name, boot: 'b', kind: 'notifier', address: '', loadPercent: 0 });
      return { log, events: servePublicEvents({ log, name, logger }) };
    }),
  );
  const owners = () => notifiers.flatMap(({ events }) => events.partitions());
  for (const until = Date.now() + 20_000; Date.now() < until && owners().length !== 8; ) await sleep(10);
  assert.deepEqual(owners().toSorted(), [0, 1, 2, 3, 4, 5, 6, 7]);
  const victim = notifiers.find(({ events }) => events.partitions().includes(PARTITION))!;
  const other = notifiers.find((one) => one !== victim)!;
  t.after(async () => {
    await other.events.close();
    await Promise.all([other.log.close(), reader.close()]);
  });
  const filling = fill(reader, 15);
  while ((await written(reader)).length < 10) await sleep(2);
  victim.log.crash();
  await filling;
  for (const until = Date.now() + 20_000; Date.now() < until && (await written(reader)).length < expected().length; )
    await sleep(10);
  assert.deepEqual(await written(reader), expected());
  assert.equal(other.events.partitions().length, 8);
});

test('an event of a newer version stops its partition before anything after it is told', async () => {
  const log = memoryLog();
  await fill(log);
  const writer = await log.take(JOURNAL, PARTITION);
  const [event] = storyOf('seed-hangup.story', KEYS[0]!);
  const bytes = encodeEvent(event!);
  await writer.append({ records: [{ key: KEYS[0]!, headers: { type: 'CallArrived', schema: '9' }, bytes }] });
  await writer.append({ records: [{ key: KEYS[0]!, headers: { type: 'CallArrived', schema: '1' }, bytes }] });
  const stop = new AbortController();
  await assert.rejects(runProjector({ log, partition: PARTITION, signal: stop.signal, logger }), /version 9/);
  await assert.rejects(runProjector({ log, partition: PARTITION, signal: stop.signal, logger }), /version 9/);
  assert.deepEqual(await written(log), expected());
});

test('a record that can’t be read, and a fold that can’t, are of their call alone: every other is told', async () => {
  const log = memoryLog();
  const bad = {
    key: call(7),
    headers: { type: 'CallArrived', seq: '1', schema: '1' },
    bytes: Buffer.from('ffff07', 'hex'),
  };
  const writer = await log.take(JOURNAL, PARTITION);
  await writer.append({ records: [bad] });
  await fill(log);
  const fence = await log.take(PUBLIC, PARTITION);
  const folds = ['no json', '{"v":1}', '{"v":1,"call":{"callId":"x"}}'].map((text) => Buffer.from(text));
  await fence.append({ records: [], snapshots: folds.map((bytes, n) => ({ key: call(n + 1), bytes })) });
  await runUntil(log, log);
  assert.deepEqual(await written(log), expected());
});

test('every story that was ever recorded can be told', () => {
  for (const name of names) {
    const events = told(storyOf(name, call(1)));
    const ofCall = events
      .filter((e) => e.type === 'call_state' && e.call.direction === 'in')
      .map((e) => e.payload.state);
    assert.equal(ofCall[0], 'init', name);
    assert.deepEqual(ofCall.slice(-2), ['hangup', 'destroyed'], name);
    assert.equal(events.at(-1)?.payload.state, 'destroyed', name);
  }
});
