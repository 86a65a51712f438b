/** What is made of the journal: the call log, the charges. Each reads the events that concern it, by a cursor of its own. */
import type { LogRecord } from '@opentact/event-log';
import { type CallEvent, isUnreadable, readRecord, UnknownEvent } from '@opentact/proto';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/database.ts';
import { COSTS, charge } from '../money/charge.ts';
import { apply, isPassedOver } from './apply.ts';
import type { Cursor } from './cursors.ts';
import { endLegsOf, endUnreadable, type Unreadable } from './unreadable.ts';

export type Reader = {
  name: string;
  cursor: Cursor;
  /** Does it read events of that type? The others are passed over. */
  reads(type: string): boolean;
  /** Whether a record can be read is asked of every type, not only of those. */
  examines: boolean;
  /** In the transaction that moves the cursor; events in the order of their partitions. */
  write(tx: Kysely<Tables>, events: CallEvent[]): Promise<void>;
  /** After that: what a record means that can't be read. */
  writeUnreadable(tx: Kysely<Tables>, record: Unreadable): Promise<void>;
};

export const CALL_LOG: Reader = {
  name: 'call log',
  cursor: 'call_log_cursor',
  reads: (type) => !isPassedOver(type),
  examines: false,
  write: apply,
  writeUnreadable: endUnreadable,
};
export const CHARGES: Reader = {
  name: 'charging',
  cursor: 'charge_cursor',
  reads: (type) => COSTS.has(type),
  examines: true,
  write: charge,
  writeUnreadable: endLegsOf,
};
export const READERS: readonly Reader[] = [CALL_LOG, CHARGES];

export type CallRecord = LogRecord & { key: string };

/** Is it for that reader to write, or to find that it can't be read? @param read `readRecord`, or what remembers its answers */
export function concerns({ reads, examines }: Reader, record: LogRecord, read = readRecord): record is CallRecord {
  const { type } = record.headers;
  if (!record.key || type === undefined) return false;
  return reads(type) || (examines && isSpoiled(record, read));
}

function isSpoiled(record: LogRecord, read: typeof readRecord): boolean {
  try {
    return isUnreadable(read(record));
  } catch (error) {
    // Of a type that isn't read here a newer version may write what it likes.
    return !(error instanceof UnknownEvent);
  }
}
