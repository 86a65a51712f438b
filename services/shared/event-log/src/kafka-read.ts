/**
 * Reads partitions as a follower of committed transactions sees them, without a consumer group. A position is the
 * offset + 1; control records and aborted transactions take positions and are never seen.
 */
import { type Connection, fetchV12, listOffsetsV7 } from '@platformatic/kafka';
import { codesOf, reachingKafka } from './kafka-errors.ts';
import type { Lane, Wire } from './kafka-wire.ts';
import { LogError, type LogRecord } from './port.ts';

type Found = fetchV12.FetchResponsePartition;

const COMMITTED = 1;
const UNCOMMITTED = 0;
const IS_TRANSACTIONAL = 0x10;
const IS_CONTROL = 0x20;
const LATEST = -1n;
const EARLIEST = -2n;
export const READ_MS_MAX = 4000;
const PAGE_BYTES = 1024 * 1024;
/** A reader is in front of a transaction that ends within milliseconds, unless its owner died. */
const BLOCKED_MS_MAX = 3000;
const WAIT_MS = 100;
const LANES = 4;

/** A record with what Kafka adds: `bytes` null is a tombstone; `at` ms since the epoch, the writer's clock. */
export type RawRecord = Omit<LogRecord, 'bytes'> & { bytes: Buffer | null; at: number };
/** What one fetch found. `next`: the offset to go on from; `stable`: the first offset that isn't decided yet. */
export type Page = { records: RawRecord[]; next: number; stable: number };
/** Where to fetch from. */
export type Place = { topic: string; partition: number; offset: number };

const laneOf = (partition: number): Lane => `read-${partition % LANES}`;
const text = (bytes: Buffer | null) => bytes?.toString() ?? '';

/** Is the batch part of a transaction that was aborted? Both lists are in the order of offsets. */
function abortFilter(aborted: Found['abortedTransactions']) {
  const coming = (aborted ?? []).toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  const inside = new Set<bigint>();
  return (batch: NonNullable<Found['records']>[number]): boolean => {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    while (coming[0] && coming[0].firstOffset <= last) inside.add(coming.shift()!.producerId);
    if ((batch.attributes & IS_TRANSACTIONAL) === 0 || !inside.has(batch.producerId)) return false;
    if (batch.attributes & IS_CONTROL) inside.delete(batch.producerId); // Its abort marker.
    return true;
  };
}

/** What a fetch answered for one partition, asked from `offset`. */
export function pageOf(found: Found, offset: number): Page {
  const isAborted = abortFilter(found.abortedTransactions);
  const stable = found.lastStableOffset >= 0n ? found.lastStableOffset : found.highWatermark;
  const page: Page = { records: [], next: offset, stable: Number(stable) };
  for (const batch of found.records ?? []) {
    const skipped = isAborted(batch) || (batch.attributes & IS_CONTROL) !== 0;
    page.next = Number(batch.firstOffset) + batch.lastOffsetDelta + 1;
    if (skipped) continue;
    for (const r of batch.records) {
      const at = Number(batch.firstOffset) + r.offsetDelta;
      if (at < offset) continue; // A batch comes whole, even where it was asked for from its middle.
      page.records.push({
        position: at + 1,
        key: text(r.key),
        headers: Object.fromEntries(r.headers.map(([name, value]) => [text(name), text(value)])),
        bytes: r.value,
        at: Number(batch.firstTimestamp + r.timestampDelta),
      });
    }
  }
  return page;
}

/** Asks one broker for all places at once. It waits at most `waitMs` for a first byte. @throws the broker's errors. */
export async function fetchFrom(connection: Connection, places: Place[], waitMs: number, isCommitted: boolean) {
  const asked = Map.groupBy(places, (place) => place.topic);
  const topics = [...asked].map(([topicId, of]) => ({
    topicId, // Until version 13 this is its name.
    partitions: of.map(({ partition, offset }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: PAGE_BYTES,
    })),
  }));
  const isolation = isCommitted ? COMMITTED : UNCOMMITTED;
  return fetchV12.api.async(connection, waitMs, 1, PAGE_BYTES * 4, isolation, 0, -1, topics, [], '');
}

export type Reader = ReturnType<typeof createReader>;

export function createReader(wire: Wire) {
  function edge(topic: string, partition: number, isolation: number, timestamp: bigint): Promise<number> {
    const asked = [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }] }];
    return wire.onLeader(topic, partition, laneOf(partition), READ_MS_MAX, async (connection) => {
      const { topics } = await listOffsetsV7.api.async(connection, -1, isolation, asked);
      return Number(topics[0]!.partitions[0]!.offset);
    });
  }
  /** The offset after everything that is replicated now, open transactions included. */
  const endOf = (topic: string, partition: number) => edge(topic, partition, UNCOMMITTED, LATEST);

  async function page(
    place: Place,
    waitMs: number,
    isCommitted = true,
    lane: Lane = laneOf(place.partition),
  ): Promise<Page> {
    const { topic, partition, offset } = place;
    return wire.onLeader(topic, partition, lane, READ_MS_MAX, async (connection) => {
      try {
        const found = await fetchFrom(connection, [place], waitMs, isCommitted);
        return pageOf(found.responses[0]!.partitions[0]!, offset);
      } catch (error) {
        if (!codesOf(error).includes('OFFSET_OUT_OF_RANGE')) throw error;
        // What is older than the retention is gone; what is not written yet is not there.
        const first = await edge(topic, partition, UNCOMMITTED, EARLIEST);
        return { records: [], next: Math.max(first, offset), stable: Number.MAX_SAFE_INTEGER };
      }
    });
  }
  /**
   * All records from `offset` up to what was replicated when called; transactions that are open then are waited for.
   * @throws LogError `unavailable` where one stays open for 3 s: its owner died and nobody took the partition.
   */
  async function* toEnd(topic: string, partition: number, offset: number, isCommitted = true): AsyncGenerator<Page> {
    const end = await reachingKafka(`end of ${topic}/${partition}`, () => endOf(topic, partition));
    let movedAt = performance.now();
    for (let at = offset; at < end; ) {
      const place = { topic, partition, offset: at };
      const found = await reachingKafka(`read ${topic}/${partition}`, () => page(place, WAIT_MS, isCommitted));
      if (found.next > at) movedAt = performance.now();
      else if (found.stable >= end)
        return; // Compaction took the rest.
      else if (performance.now() - movedAt > BLOCKED_MS_MAX)
        throw new LogError('unavailable', `${topic}/${partition}: a transaction stays open at ${at}`);
      at = found.next;
      yield { ...found, records: found.records.filter((r) => r.position <= end) };
    }
  }
  /** Does the topic exist? Cheap once its leaders are known. */
  async function exists(topic: string, partition: number): Promise<boolean> {
    try {
      await wire.persist(
        READ_MS_MAX,
        () =>
          wire.leaderOf(topic, partition).catch((error) => Promise.reject(unknown(error) ? new MissingTopic() : error)),
        () => wire.forgetLeaders(topic),
      );
      return true;
    } catch (error) {
      if (error instanceof MissingTopic) return false;
      throw error;
    }
  }
  const unknown = (error: unknown) => codesOf(error).includes('UNKNOWN_TOPIC_OR_PARTITION');
  return {
    endOf: (topic: string, partition: number) =>
      reachingKafka(`end of ${topic}/${partition}`, () => endOf(topic, partition)),
    page,
    toEnd,
    exists: (topic: string, partition: number) => reachingKafka(`look for ${topic}`, () => exists(topic, partition)),
  };
}

class MissingTopic extends Error {}
