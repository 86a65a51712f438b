/**
 * Follows the journal into tables: the call log, the charges. What was read and how far lie in one transaction, so each
 * event changes them once, whoever is killed when; of several api processes one is ahead at each partition, and the others
 * see that. A record that can't be read stops nothing: it is noted, and its call is charged by the operator; one that a newer version
 * wrote stops the reader.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, LogRecord } from '@opentact/event-log';
import { type CallEvent, isUnreadable, readRecord, UnknownEvent } from '@opentact/proto';
import type { Logger } from '@opentact/runtime';
import type { Kysely } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { COSTS, charge } from '../money/charge.ts';
import { apply, isPassedOver } from './apply.ts';
import { type Cursor, positionOf } from './cursors.ts';
import { endUnreadable, noteUnreadable } from './unreadable.ts';

const JOURNAL = 'calls.journal';
const BATCH_MAX = 200;
/** Events gather so long: a call's come in bursts. */
const GATHER_MS = 100;
const UNREADABLE = 'a record of the journal can’t be read: npm run ops -- quarantine list';
const AGAIN_MS = 1_000;
const AGAIN_MAX_MS = 10_000;

/** What is made of the journal, and how far it was made. */
export type Reader = {
  name: string;
  cursor: Cursor;
  /** Does it read events of that type? The others are passed over. */
  reads(type: string): boolean;
  /** Whether a record can be read is asked of every type, not only of those. */
  examines: boolean;
  /** In the transaction that moves the cursor; events in the order of their partition. */
  write(tx: Kysely<Tables>, events: CallEvent[]): Promise<void>;
};

export const CALL_LOG: Reader = {
  name: 'call log',
  cursor: 'call_log_cursor',
  reads: (type) => !isPassedOver(type),
  examines: false,
  write: apply,
};
export const CHARGES: Reader = {
  name: 'charging',
  cursor: 'charge_cursor',
  reads: (type) => COSTS.has(type),
  examines: true,
  write: charge,
};

/** Somebody else read this partition meanwhile. */
class Overtaken extends Error {
  override name = 'Overtaken';
}

/** Follows every partition until `signal` aborts; resolves when all have stopped. Never rejects. */
export async function followJournal(
  db: Database,
  log: EventLog,
  signal: AbortSignal,
  logger: Logger,
  reader: Reader = CALL_LOG,
): Promise<void> {
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  await Promise.all(partitions.map((partition) => keepFollowing(db, log, partition, signal, logger, reader)));
}

async function keepFollowing(
  db: Database,
  log: EventLog,
  partition: number,
  signal: AbortSignal,
  logger: Logger,
  reader: Reader,
): Promise<void> {
  for (let waitMs = AGAIN_MS; !signal.aborted; waitMs = Math.min(AGAIN_MAX_MS, waitMs * 2)) {
    try {
      await follow(db, log, partition, signal, logger, reader);
    } catch (err) {
      if (signal.aborted) return;
      const isOvertaken = err instanceof Overtaken;
      if (!isOvertaken) logger.warn({ partition, err }, `the ${reader.name} stands still and is tried again`);
      await sleep(isOvertaken ? AGAIN_MAX_MS : waitMs, undefined, { signal }).catch(() => {});
    }
  }
}

async function follow(
  db: Database,
  log: EventLog,
  partition: number,
  signal: AbortSignal,
  logger: Logger,
  reader: Reader,
): Promise<void> {
  const place = { log: log.id, partition };
  let written = await positionOf(db, log, partition, reader.cursor);
  let waiting: LogRecord[] = [];
  let last = written;
  let writing: Promise<void> | undefined;
  let failed: unknown;
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);

  async function write(): Promise<void> {
    await sleep(GATHER_MS, undefined, { signal: until }).catch(() => {});
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH_MAX);
      const position = waiting.length > 0 ? batch.at(-1)!.position : last;
      const unreadable = await writeBatch(db, place, batch, { from: written, to: position }, reader);
      for (const { callId, seq } of unreadable) logger.error({ partition, callId, seq }, UNREADABLE);
      written = position;
    }
  }
  function begin(): void {
    if (writing || failed || waiting.length === 0) return;
    writing = write()
      .catch((error) => {
        failed = error;
        stop.abort();
      })
      .finally(() => {
        writing = undefined;
        begin(); // what came while the last of them was being written
      });
  }
  try {
    for await (const record of log.follow(JOURNAL, partition, written, until)) {
      last = record.position;
      if (!concerns(reader, record)) continue;
      waiting.push(record);
      begin();
      // Past so many nothing more is read until they are written.
      if (waiting.length >= BATCH_MAX * 5) await writing;
      if (failed) break;
    }
  } finally {
    waiting = signal.aborted ? [] : waiting;
    await writing;
  }
  if (failed) throw failed;
}

const isCall = (record: LogRecord): record is LogRecord & { key: string } => Boolean(record.key);

function concerns({ reads, examines }: Reader, record: LogRecord): boolean {
  const { type } = record.headers;
  if (!isCall(record) || type === undefined) return false;
  if (reads(type) || !examines) return reads(type);
  try {
    return isUnreadable(readRecord(record));
  } catch (error) {
    // Of a type that isn't read here a newer version may write what it likes.
    if (error instanceof UnknownEvent) return false;
    throw error;
  }
}

/** @returns stubs of what couldn't be read */
async function writeBatch(
  db: Database,
  { log, partition }: { log: string; partition: number },
  records: LogRecord[],
  position: { from: number; to: number },
  reader: Reader,
): Promise<CallEvent[]> {
  const read = records.filter(isCall).map((record) => ({ record, event: readRecord(record) }));
  const stubs = read.filter(({ event }) => isUnreadable(event));
  const events = read.flatMap(({ event }) => (isUnreadable(event) ? [] : [event]));
  const noted = stubs.map(({ record, event: { seq } }) => ({ ...record, seq, partition }));
  await db.transaction().execute(async (tx) => {
    const moved = await tx
      .updateTable(reader.cursor)
      .set({ position: String(position.to) })
      .where('log', '=', log)
      .where('partition', '=', partition)
      .where('position', '=', String(position.from))
      .executeTakeFirst();
    if (moved.numUpdatedRows === 0n) throw new Overtaken(`partition ${partition}`);
    for (const stub of noted) await noteUnreadable(tx, stub);
    await reader.write(tx, events);
    for (const stub of noted) await endUnreadable(tx, stub);
  });
  return stubs.map(({ event }) => event);
}

/** Reads what is there now, and no further. @throws what the log or the database said */
export async function readToEnd(db: Database, log: EventLog, reader: Reader): Promise<void> {
  for (let partition = 0; partition < log.partitions; )
    try {
      await readPartitionToEnd(db, log, partition, reader);
      partition++;
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
    }
}

async function readPartitionToEnd(db: Database, log: EventLog, partition: number, reader: Reader): Promise<void> {
  let from = await positionOf(db, log, partition, reader.cursor);
  let waiting: LogRecord[] = [];
  let last = from;
  const write = async () => {
    await writeBatch(db, { log: log.id, partition }, waiting, { from, to: last }, reader);
    from = last;
    waiting = [];
  };
  for await (const record of log.replay(JOURNAL, partition, from)) {
    last = record.position;
    if (concerns(reader, record)) waiting.push(record);
    if (waiting.length >= BATCH_MAX) await write();
  }
  if (last > from) await write();
}

/** Forgets everything; whoever follows the journal then reads it from its beginning. */
export async function forgetCallLog(db: Database): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.updateTable('call_log_cursor').set({ position: '0' }).execute();
    for (const table of ['recording_log', 'flow_log', 'call_log'] as const) await tx.deleteFrom(table).execute();
  });
}
