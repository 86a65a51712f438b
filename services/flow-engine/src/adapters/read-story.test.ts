/** Where a story is looked for: never in a partition from its beginning, and in no journal where the store is known to have it all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryServer, type EventLog, memoryLog, type NewRecord } from '@opentact/event-log';
import { type CallEvent, encodeEvent, type FactOf } from '@opentact/proto';
import { partitionOf } from '@opentact/runtime';
import { storyReader } from './read-story.ts';

const CALL = '00000000-0000-8000-8000-000000000000';
const OTHER = '00000000-0000-8000-8000-000000010000';
const PAGE = 2;

/** The k-th event of a call of `last`. */
function eventOf(callId: string, seq: number, last: number): CallEvent {
  const fact: FactOf<'CallEnded' | 'CallFaulted'> =
    seq === last
      ? { type: 'CallEnded', owner: 'us', reason: 'test', q850: 16, durationMs: 0 }
      : { type: 'CallFaulted', reason: 'test' };
  return { ...fact, callId, seq, at: 1 } as CallEvent;
}
const recordOf = (event: CallEvent): NewRecord => ({
  key: event.callId,
  headers: { type: event.type, seq: String(event.seq), schema: '1' },
  bytes: encodeEvent(event),
});

/**
 * A journal of `journaled` with a store beside it that has read `read` of its records; `reads` says what was asked of whom.
 */
async function scene(of: {
  indexesKeys: boolean;
  journal: CallEvent[];
  read?: number;
  stored?: CallEvent[];
  behindMs?: number;
  owner?: { began?: number } | 'forgotten' | 'away';
  isAway?: boolean;
}) {
  const memory = memoryLog(createMemoryServer());
  const partition = partitionOf(CALL, memory.partitions);
  const writer = await memory.take('calls.journal', partition);
  const append = (...events: CallEvent[]) => writer.append({ records: events.map(recordOf) });
  if (of.journal.length > 0) await append(...of.journal);
  const reads: string[] = [];
  const log: EventLog = {
    ...memory,
    indexesKeys: of.indexesKeys,
    readKey: (topic, key, position) => {
      reads.push(`key after ${position}`);
      return memory.readKey(topic, key, position);
    },
    replay: (topic, number, position) => {
      reads.push(`partition after ${position}`);
      return memory.replay(topic, number, position);
    },
  };
  const known = of.stored ?? of.journal.slice(0, of.read ?? 0).filter(({ callId }) => callId === CALL);
  const stories = storyReader({
    log,
    async stored({ callId, fromSeq, log: id, partition: number }) {
      assert.deepEqual([callId, id, number], [CALL, log.id, partition]);
      reads.push(`store from ${fromSeq}`);
      if (of.isAway) throw Object.assign(new Error('away'), { code: 14 });
      const rest = known.filter(({ seq }) => seq >= fromSeq).map(recordOf);
      const records = rest.slice(0, PAGE).map(({ headers, bytes }) => ({ headers, bytes: Buffer.from(bytes) }));
      return { records, more: rest.length > PAGE, position: of.read ?? 0, behindMs: of.behindMs ?? 0 };
    },
    async ownerKnows() {
      reads.push('owner');
      return of.owner ?? 'away';
    },
  });
  const told = async (events: AsyncIterable<CallEvent>) => {
    const found: number[] = [];
    for await (const { callId, seq } of events) {
      assert.equal(callId, CALL);
      found.push(seq);
    }
    return found;
  };
  return { stories, reads, append, told };
}

const mine = (last: number) => Array.from({ length: last }, (_, i) => eventOf(CALL, i + 1, last));
const others = (count: number) => Array.from({ length: count }, (_, i) => eventOf(OTHER, i + 1, count));

test('without an index a call that is over and forgotten is read from the store alone', async () => {
  const journal = [...others(3), ...mine(5), ...others(4)];
  const of = await scene({ indexesKeys: false, journal, read: journal.length, owner: 'forgotten' });
  assert.deepEqual(await of.told(of.stories.read(CALL)), [1, 2, 3, 4, 5]);
  assert.deepEqual(of.reads, ['owner', 'store from 1', 'store from 3', 'store from 5']);
});

test('a call that is nowhere is found nowhere, and no journal is read for it', async () => {
  const of = await scene({ indexesKeys: false, journal: others(50), read: 50, owner: 'forgotten' });
  assert.deepEqual(await of.told(of.stories.read(CALL)), []);
  assert.deepEqual(of.reads, ['owner', 'store from 1']);
});

test('what the store has not read yet is read from there on: where it is long behind, or the owner knows the call or can’t say', async () => {
  const journal = [...others(3), ...mine(5), ...others(4)];
  for (const [owner, behindMs] of [
    [{}, 0],
    ['away', 0],
    ['forgotten', 60_000],
    ['forgotten', 2 ** 32 - 1],
  ] as const) {
    const of = await scene({ indexesKeys: false, journal, read: 5, owner, behindMs });
    assert.deepEqual(await of.told(of.stories.read(CALL)), [1, 2, 3, 4, 5]);
    assert.deepEqual(of.reads, ['owner', 'store from 1', 'partition after 5'], `${owner} ${behindMs}`);
  }
});

test('without a store a call that lives is read from where it began, and another one refused', async () => {
  const journal = [...others(3), ...mine(5).slice(0, 4)];
  const live = await scene({ indexesKeys: false, journal, isAway: true, owner: { began: 3 } });
  assert.deepEqual(await live.told(live.stories.read(CALL)), [1, 2, 3, 4]);
  assert.deepEqual(live.reads, ['owner', 'store from 1', 'partition after 3']);
  for (const owner of [{}, 'forgotten', 'away'] as const) {
    const other = await scene({ indexesKeys: false, journal, isAway: true, owner });
    await assert.rejects(other.told(other.stories.read(CALL)), { code: 14 });
    assert.deepEqual(other.reads, ['owner', 'store from 1']);
  }
});

test('what lies in the store and in the journal is told once', async () => {
  const journal = mine(6);
  const of = await scene({ indexesKeys: false, journal, read: 2, stored: journal.slice(0, 4), owner: {} });
  assert.deepEqual(await of.told(of.stories.read(CALL)), [1, 2, 3, 4, 5, 6]);
});

test('with an index the journal is asked by the call, and the store for what the journal no longer has', async () => {
  const whole = await scene({ indexesKeys: true, journal: [...others(3), ...mine(5)] });
  assert.deepEqual(await whole.told(whole.stories.read(CALL)), [1, 2, 3, 4, 5]);
  assert.deepEqual(whole.reads, ['key after 0']);
  const headless = await scene({ indexesKeys: true, journal: mine(5).slice(2), stored: mine(5).slice(0, 3) });
  assert.deepEqual(await headless.told(headless.stories.read(CALL)), [1, 2, 3, 4, 5]);
  const gone = await scene({ indexesKeys: true, journal: others(3), stored: mine(5), read: 3 });
  assert.deepEqual(await gone.told(gone.stories.read(CALL)), [1, 2, 3, 4, 5]);
});

test('a call is followed to its end, from wherever its beginning lies', async () => {
  for (const indexesKeys of [true, false]) {
    const journal = [...others(3), ...mine(9).slice(0, 5)];
    const of = await scene({ indexesKeys, journal, read: 5, owner: {} });
    const seen: number[] = [];
    for await (const { seq } of of.stories.follow(CALL, new AbortController().signal)) {
      seen.push(seq);
      if (seq === 5) await of.append(...others(2), ...mine(9).slice(5), eventOf(CALL, 10, 0));
    }
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.ok(!of.reads.includes('partition after 0'), of.reads.join());
  }
});

test('who follows a call a moment before it is there gets it; of one that never comes, nothing', async () => {
  for (const indexesKeys of [true, false]) {
    const of = await scene({ indexesKeys, journal: others(4), read: 4, owner: 'forgotten' });
    const following = of.told(of.stories.follow(CALL, new AbortController().signal));
    await of.append(...mine(3));
    assert.deepEqual(await following, [1, 2, 3]);
    const never = await scene({ indexesKeys, journal: others(4), read: 4, owner: 'forgotten' });
    assert.deepEqual(await never.told(never.stories.follow(CALL, new AbortController().signal)), []);
    assert.ok(!never.reads.includes('partition after 0'), never.reads.join());
  }
});
