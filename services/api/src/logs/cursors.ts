/** How far each partition of a log was read into tables. A log that is not the one of before has positions of its own. */
import type { EventLog } from '@opentact/event-log';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';

export type Cursor = 'call_log_cursor' | 'charge_cursor';
export const CURSORS: Cursor[] = ['call_log_cursor', 'charge_cursor'];

/** Rows from before they said of which log are of the one with as many partitions. */
export async function adoptCursors(db: Database, { id, partitions }: EventLog): Promise<void> {
  for (const cursor of CURSORS) {
    const table = sql.table(cursor);
    await sql`
      update ${table} set log = ${id}
      where log = '' and (select count(*) from ${table} where log = '') = ${partitions}
        and not exists (select from ${table} where log = ${id})`.execute(db);
  }
}

/**
 * `isKnown`: this log was followed before; `isAnother`: the one followed last was not this one. Where nobody kept which that
 * was, it is this one if this one is known.
 */
export async function followedBefore(
  db: Database,
  { id }: EventLog,
): Promise<{ isKnown: boolean; isAnother: boolean }> {
  const rows = await db.selectFrom('call_log_cursor').select('log').distinct().execute();
  const isKnown = rows.some(({ log }) => log === id);
  const last = await db.selectFrom('followed_log').select('log').executeTakeFirst();
  return { isKnown, isAnother: last ? last.log !== id : !isKnown && rows.length > 0 };
}

/** Where a reader stands in a partition. */
export async function positionOf(db: Database, { id }: EventLog, partition: number, cursor: Cursor): Promise<number> {
  await db
    .insertInto(cursor)
    .values({ log: id, partition, position: '0' })
    .onConflict((c) => c.doNothing())
    .execute();
  const row = await db
    .selectFrom(cursor)
    .select('position')
    .where('log', '=', id)
    .where('partition', '=', partition)
    .executeTakeFirstOrThrow();
  return Number(row.position);
}
