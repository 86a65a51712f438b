/**
 * Records of the journal into tables. What was made of them and how far it goes lie in one transaction, so each event changes
 * the tables once, whoever is killed when; of several api processes one is ahead at each partition, and the others see that. A
 * record that can't be read stops nothing: it is noted, and its call is charged by the operator; one that a newer version wrote
 * stops the reader.
 */
import type { EventLog, LogRecord } from '@opentact/event-log';
import { type CallEvent, isUnreadable, readRecord } from '@opentact/proto';
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { advance, positionsOf } from './cursors.ts';
import { concerns, type Reader } from './readers.ts';
import { noteUnreadable, type Unreadable } from './unreadable.ts';

export const JOURNAL = 'calls.journal';
/** Of one partition at a time. */
export const BATCH_MAX = 200;
/** How long a transaction of several lanes waits for a row. */
const LOCK_MS_MAX = 300;
/** Records that concern nobody are passed over; the cursor is moved past so many. */
const PASSED_MAX = 2_000;

/** A reader at a partition; it has written what is there up to `written`. */
export type Lane = { readonly reader: Reader; readonly partition: number; written: number };
/** What was read of a partition behind `from`, up to `to`: of its records those that concern anybody. */
export type Part = {
  readonly partition: number;
  readonly records: LogRecord[];
  readonly from: number;
  readonly to: number;
};

type Work = { lane: Lane; to: number; events: CallEvent[]; unreadable: Unreadable[] };

/** @returns `overtaken`: another process read on meanwhile, and nothing of theirs was written; `unreadable` of the others */
export type Written = { overtaken: Lane[]; unreadable: Unreadable[] };

/** Decodes a record once, however many readers ask for it. */
function readingOnce(): typeof readRecord {
  const known = new Map<object, CallEvent>();
  return (record) => {
    const event = known.get(record) ?? readRecord(record);
    known.set(record, event);
    return event;
  };
}

/** @throws UnknownEvent where a newer version wrote a record */
function workOf(lane: Lane, { records, to, partition }: Part, read: typeof readRecord): Work {
  const work: Work = { lane, to, events: [], unreadable: [] };
  for (const record of records) {
    if (record.position <= lane.written || !concerns(lane.reader, record, read)) continue;
    const event = read(record);
    if (isUnreadable(event)) work.unreadable.push({ ...record, seq: event.seq, partition });
    else work.events.push(event);
  }
  return work;
}

/**
 * Writes what was read of partitions, for those lanes of them, in one transaction: some statements, however many calls.
 * @throws whatever the database or a record says, and Error where a part begins behind what its lane has written; nothing was
 * written then
 */
export async function writeParts(db: Database, log: string, lanes: Lane[], parts: Part[]): Promise<Written> {
  const byPartition = new Map(parts.map((part) => [part.partition, part]));
  const read = readingOnce();
  const works = lanes.flatMap((lane) => {
    const part = byPartition.get(lane.partition);
    if (part && part.from > lane.written)
      throw new Error(`partition ${part.partition}: a gap between ${lane.written} and ${part.from}`);
    return part && part.to > lane.written ? [workOf(lane, part, read)] : [];
  });
  const byReader = Map.groupBy(works, ({ lane }) => lane.reader);
  const moved = await db.transaction().execute(async (tx) => {
    // A row that is held for long must not hold up everybody: who wants it is found when each writes by itself.
    if (lanes.length > 1) await sql.raw(`set local lock_timeout = ${LOCK_MS_MAX}`).execute(tx);
    const ours = new Map<Reader, Work[]>();
    // All cursors first, in one order: two processes then wait for each other nowhere else.
    for (const [reader, own] of byReader) {
      const steps = own.map(({ lane, to }) => ({ partition: lane.partition, from: lane.written, to }));
      const ahead = await advance(tx, log, reader.cursor, steps);
      ours.set(
        reader,
        own.filter(({ lane }) => ahead.has(lane.partition)),
      );
    }
    for (const [reader, own] of ours) await write(tx, reader, own);
    return new Set([...ours.values()].flat());
  });
  for (const { lane, to } of moved) lane.written = to;
  return {
    overtaken: works.filter((work) => !moved.has(work)).map(({ lane }) => lane),
    unreadable: [...moved].flatMap(({ unreadable }) => unreadable),
  };
}

async function write(tx: Kysely<Tables>, reader: Reader, works: Work[]): Promise<void> {
  const unreadable = works.flatMap((work) => work.unreadable);
  const events = works.flatMap((work) => work.events);
  for (const record of unreadable) await noteUnreadable(tx, record);
  if (events.length > 0) await reader.write(tx, events);
  for (const record of unreadable) await reader.writeUnreadable(tx, record);
}

/** How reading on ended: at the `end` of what was there as it began, with `more` to read, or `overtaken` by another process. */
export type Ended = 'end' | 'more' | 'overtaken';

/**
 * Reads a partition from where its reader stands, and writes it, so many batches at most.
 * @throws what the log, the database or a record says
 */
export async function readOnAlone(
  db: Database,
  log: EventLog,
  lane: Lane,
  of: { batchesMax?: number; signal?: AbortSignal } = {},
): Promise<{ ended: Ended; unreadable: Unreadable[] }> {
  const { reader, partition } = lane;
  const { batchesMax = Number.POSITIVE_INFINITY, signal } = of;
  lane.written = (await positionsOf(db, log, reader.cursor)).get(partition) ?? 0;
  const unreadable: Unreadable[] = [];
  let records: LogRecord[] = [];
  let passed = 0;
  let to = lane.written;
  const isOvertaken = async () => {
    const written = await writeParts(db, log.id, [lane], [{ partition, records, from: lane.written, to }]);
    unreadable.push(...written.unreadable);
    records = [];
    passed = 0;
    return written.overtaken.length > 0;
  };
  let batches = 0;
  for await (const record of log.replay(JOURNAL, partition, lane.written)) {
    if (signal?.aborted) return { ended: 'more', unreadable };
    to = record.position;
    if (concerns(reader, record)) records.push(record);
    else passed++;
    if (records.length < BATCH_MAX && passed < PASSED_MAX) continue;
    if (await isOvertaken()) return { ended: 'overtaken', unreadable };
    if (++batches >= batchesMax) return { ended: 'more', unreadable };
  }
  const isLost = to > lane.written && (await isOvertaken());
  return { ended: isLost ? 'overtaken' : 'end', unreadable };
}

/** Reads what is there now, and no further. @throws what the log or the database said */
export async function readToEnd(db: Database, log: EventLog, reader: Reader): Promise<void> {
  for (let partition = 0; partition < log.partitions; ) {
    const { ended } = await readOnAlone(db, log, { reader, partition, written: 0 });
    if (ended === 'end') partition++;
  }
}
