/**
 * Follows the journal into the call log and the charges. What came of all partitions is gathered and written together; who
 * can't write stands still alone, and reads on by itself until it has what the others have.
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
/** Of a lane that stood still, before the others have their turn. */
const ALONE_BATCHES_MAX = 10;
const UNREADABLE = 'a record of the journal can’t be read: npm run ops -- quarantine list';

/** A lane as it is followed. `againAt`: it stands still until then, ms; `waitMs`: how long it waits the next time. */
type Followed = Lane & { againAt: number | undefined; waitMs: number };
/** What was read of a partition and not written. */
type Feed = { readonly partition: number; read: number; records: LogRecord[]; bytes: number };

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
    const read = Math.min(...own.map(({ written }) => written));
    return { partition, read, records: [], bytes: 0 };
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
          return { reader, partition, written, againAt: undefined, waitMs: AGAIN_MS };
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

/** The next records of a partition; none where nothing waits. */
function take(feed: Feed): Part[] {
  const records = feed.records.splice(0, BATCH_MAX);
  const last = records.at(-1);
  if (!last) return [];
  feed.bytes -= records.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  return [{ partition: feed.partition, records, to: feed.records.length > 0 ? last.position : feed.read }];
}

async function keepWriting(of: Following, lanes: Followed[], feeds: Feed[]): Promise<void> {
  while (!of.signal.aborted) {
    if (feeds.every(({ records }) => records.length < BATCH_MAX))
      await sleep(GATHER_MS, undefined, { signal: of.signal }).catch(() => {});
    if (of.signal.aborted) return; // what waits is read again by whoever comes next
    const due = lanes.filter(({ againAt }) => againAt !== undefined && againAt <= Date.now());
    await Promise.all(due.map((lane) => catchUp(of, lane)));
    const parts = feeds.flatMap(take);
    if (parts.length === 0) continue;
    const partitions = new Set(parts.map(({ partition }) => partition));
    await writeAll(
      of,
      lanes.filter(({ againAt, partition }) => againAt === undefined && partitions.has(partition)),
      parts,
    );
  }
}

/** All together; where that fails, each lane by itself, so that only who can't write stands still. */
async function writeAll(of: Following, lanes: Followed[], parts: Part[]): Promise<void> {
  const write = async (some: Followed[]) => {
    const { overtaken, unreadable } = await writeParts(of.db, of.log.id, some, parts);
    tell(of, unreadable);
    for (const lane of some) if (overtaken.includes(lane)) rest(lane, AGAIN_MS_MAX);
  };
  const alone = (lane: Followed) => write([lane]).catch((err) => standStill(of, lane, err));
  await write(lanes).catch(() => Promise.all(lanes.map(alone)));
}

/** A lane that stood still reads on by itself; once it has read to the end it has all that the others were given meanwhile. */
async function catchUp(of: Following, lane: Followed): Promise<void> {
  try {
    const { ended, unreadable } = await readOnAlone(of.db, of.log, lane, ALONE_BATCHES_MAX);
    tell(of, unreadable);
    lane.waitMs = AGAIN_MS;
    if (ended === 'end') lane.againAt = undefined;
    else rest(lane, ended === 'overtaken' ? AGAIN_MS_MAX : 0);
  } catch (err) {
    standStill(of, lane, err);
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
