/**
 * Follows the journal into the call log and the charges. What came of all partitions is gathered and written together. A lane
 * that is behind, or can't write, is left out and reads on by itself, until it has what the others were given meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, LogRecord } from '@opentact/event-log';
import type { Logger } from '@opentact/runtime';
import type { Database } from '../database/database.ts';
import { positionsOf } from './cursors.ts';
import { concerns, READERS, type Reader } from './readers.ts';
import type { Unreadable } from './unreadable.ts';
import { BATCH_MAX, JOURNAL, type Lane, type Part, readOnAlone, writeParts } from './write-journal.ts';

/** Events gather so long: a call's come in bursts, and a transaction for all costs what one for a call does. */
const GATHER_MS = 250;
/** Of a partition; past them it is read no further until they are written. */
const WAITING_RECORDS_MAX = BATCH_MAX * 5;
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 10_000;
/** Of all partitions, in one transaction: what a statement and its time can take. */
const TOGETHER_MAX = 1_500;
/** Lanes that read on by themselves at once, and batches of each before another has its turn. */
const ALONE_MAX = 4;
const ALONE_BATCHES_MAX = 10;
const UNREADABLE = 'a record of the journal can’t be read: npm run ops -- quarantine list';

/**
 * A lane as it is followed. `againAt`: left out, it reads on by itself from then on, ms; `isReading`: it does so now; `waitMs`: how
 * long it stands still the next time it fails.
 */
type Followed = Lane & { againAt: number | undefined; isReading: boolean; waitMs: number };
/** What was read of a partition and not taken to be written. `given`: what was taken goes so far; `read`: what was read. */
type Feed = { readonly partition: number; given: number; read: number; records: LogRecord[]; bytes: number };

type Following = {
  db: Database;
  log: EventLog;
  signal: AbortSignal;
  logger: Logger;
  readers: readonly Reader[];
};

/** Follows every partition until `signal` aborts; resolves when all has stopped. Never rejects. */
export async function followJournal(
  db: Database,
  log: EventLog,
  signal: AbortSignal,
  logger: Logger,
  readers: readonly Reader[] = READERS,
): Promise<void> {
  const of = { db, log, signal, logger, readers };
  const lanes = await lanesOf(of);
  const byPartition = Map.groupBy(lanes, ({ partition }) => partition);
  const feeds = [...byPartition].map(([partition, own]): Feed => {
    const read = Math.max(...own.map(({ written }) => written));
    for (const lane of own) if (lane.written < read) rest(lane, 0);
    return { partition, given: read, read, records: [], bytes: 0 };
  });
  await Promise.all([keepWriting(of, lanes, feeds), ...feeds.map((feed) => keepReading(of, feed))]);
}

/** Where each reader stands; none where `signal` aborts before the database has told. */
async function lanesOf({ db, log, signal, logger, readers }: Following): Promise<Followed[]> {
  for (let waitMs = AGAIN_MS; !signal.aborted; waitMs = Math.min(AGAIN_MS_MAX, waitMs * 2))
    try {
      const positions = await Promise.all(readers.map((reader) => positionsOf(db, log, reader.cursor)));
      return readers.flatMap((reader, n) =>
        Array.from({ length: log.partitions }, (_, partition) => {
          const written = positions[n]!.get(partition) ?? 0;
          return { reader, partition, written, againAt: undefined, isReading: false, waitMs: AGAIN_MS };
        }),
      );
    } catch (err) {
      logger.warn({ err }, 'the journal is not followed yet');
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  return [];
}

async function keepReading({ log, signal, logger, readers }: Following, feed: Feed): Promise<void> {
  const { partition } = feed;
  while (!signal.aborted)
    try {
      for await (const record of log.follow(JOURNAL, partition, feed.read, signal, GATHER_MS)) {
        feed.read = record.position;
        if (!readers.some((reader) => concerns(reader, record))) continue;
        feed.records.push(record);
        feed.bytes += record.bytes.byteLength;
        while (!signal.aborted && (feed.records.length >= WAITING_RECORDS_MAX || feed.bytes >= WAITING_BYTES_MAX))
          await sleep(GATHER_MS / 5, undefined, { signal }).catch(() => {});
      }
    } catch (err) {
      if (!signal.aborted) logger.warn({ partition, err }, 'the journal can’t be read and is tried again');
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
}

/** The next records of each partition; first of those behind `first`, so that each has its turn. */
function take(feeds: Feed[], first: number): Part[] {
  let room = TOGETHER_MAX;
  const inTurn = [...feeds.slice(first), ...feeds.slice(0, first)];
  return inTurn.flatMap((feed) => {
    const { partition, given: from } = feed;
    const records = feed.records.splice(0, Math.min(BATCH_MAX, room));
    const last = records.at(-1);
    if (!last) return [];
    room -= records.length;
    feed.bytes -= records.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    feed.given = feed.records.length > 0 ? last.position : feed.read;
    return [{ partition, records, from, to: feed.given }];
  });
}

async function keepWriting(of: Following, lanes: Followed[], feeds: Feed[]): Promise<void> {
  const given = (partition: number) => feeds.find((feed) => feed.partition === partition)!.given;
  for (let turn = 0; !of.signal.aborted; turn++) {
    if (feeds.every(({ records }) => records.length < BATCH_MAX))
      await sleep(GATHER_MS, undefined, { signal: of.signal }).catch(() => {});
    if (of.signal.aborted) break; // what waits is read again by whoever comes next
    for (const lane of due(lanes)) void readAlone(of, lane, () => given(lane.partition));
    const parts = take(feeds, turn % feeds.length);
    const partitions = new Set(parts.map(({ partition }) => partition));
    const together = lanes.filter(({ againAt, partition }) => againAt === undefined && partitions.has(partition));
    if (together.length > 0) await writeTogether(of, together, parts);
  }
  while (lanes.some(({ isReading }) => isReading)) await sleep(GATHER_MS / 5);
}

/** The lanes that may read on by themselves now; who has waited longest comes first. */
function due(lanes: Followed[]): Followed[] {
  const room = ALONE_MAX - lanes.filter(({ isReading }) => isReading).length;
  const waiting = lanes.filter(
    ({ againAt, isReading }) => !isReading && againAt !== undefined && againAt <= Date.now(),
  );
  return waiting.sort((a, b) => a.againAt! - b.againAt!).slice(0, Math.max(0, room));
}

/** All in one transaction; where that fails each reader in one of its own, and then each lane by itself. */
async function writeTogether(of: Following, lanes: Followed[], parts: Part[]): Promise<void> {
  try {
    const { overtaken, unreadable } = await writeParts(of.db, of.log.id, lanes, parts);
    tell(of, unreadable);
    for (const lane of lanes) if (overtaken.includes(lane)) rest(lane, AGAIN_MS_MAX);
  } catch (err) {
    if (of.signal.aborted) return;
    of.logger.warn({ err, lanes: lanes.length }, 'what came of the journal can’t be written together');
    const byReader = [...Map.groupBy(lanes, ({ reader }) => reader).values()];
    if (byReader.length > 1) for (const own of byReader) await writeTogether(of, own, parts);
    // Which of them can't write is seen when each reads on by itself.
    else for (const lane of lanes) rest(lane, 0);
  }
}

/** Never rejects. @param given how far the others were given of its partition meanwhile: whoever has that is with them again */
async function readAlone(of: Following, lane: Followed, given: () => number): Promise<void> {
  const { db, log, signal } = of;
  lane.isReading = true;
  try {
    const { ended, unreadable } = await readOnAlone(db, log, lane, { batchesMax: ALONE_BATCHES_MAX, signal });
    tell(of, unreadable);
    lane.waitMs = AGAIN_MS;
    if (ended === 'end' && lane.written >= given()) lane.againAt = undefined;
    else rest(lane, ended === 'overtaken' ? AGAIN_MS_MAX : 0);
  } catch (err) {
    standStill(of, lane, err);
  } finally {
    lane.isReading = false;
  }
}

function rest(lane: Followed, ms: number): void {
  lane.againAt = Date.now() + ms;
}

function standStill({ signal, logger }: Following, lane: Followed, err: unknown): void {
  if (signal.aborted) return;
  const { partition, reader } = lane;
  logger.warn({ partition, err }, `the ${reader.name} stands still and is tried again`);
  rest(lane, lane.waitMs);
  lane.waitMs = Math.min(AGAIN_MS_MAX, lane.waitMs * 2);
}

function tell({ logger }: Following, unreadable: Unreadable[]): void {
  for (const { partition, key, seq } of unreadable) logger.error({ partition, callId: key, seq }, UNREADABLE);
}
