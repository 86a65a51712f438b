/** How far each partition of a log was read into tables. A log that is not the one of before has positions of its own. */
import type { EventLog } from '@opentact/event-log';
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../database/database.ts';

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

/** A row for each partition; those that are missing begin at 0. */
export async function makeRows(
  db: Kysely<Tables>,
  { id, partitions }: EventLog,
  cursor: Cursor | 'story_cursor',
): Promise<void> {
  const rows = Array.from({ length: partitions }, (_, partition) => ({ log: id, partition, position: '0' }));
  await db
    .insertInto(cursor)
    .values(rows)
    .onConflict((c) => c.doNothing())
    .execute();
}

/** What `read` gives of a cursor's rows, once there is one for each partition. */
export async function allRows<R>(
  db: Database,
  log: EventLog,
  cursor: Cursor | 'story_cursor',
  read: () => Promise<R[]>,
): Promise<R[]> {
  const rows = await read();
  if (rows.length >= log.partitions) return rows;
  await makeRows(db, log, cursor);
  return read();
}

/** Where a reader stands in each partition. */
export async function positionsOf(db: Database, log: EventLog, cursor: Cursor): Promise<Map<number, number>> {
  const read = () => db.selectFrom(cursor).select(['partition', 'position']).where('log', '=', log.id).execute();
  const rows = await allRows(db, log, cursor, read);
  return new Map(rows.map(({ partition, position }) => [partition, Number(position)]));
}

/**
 * Moves a cursor on in partitions where it still stands at `from`; the rows are locked in the order of their partitions.
 * @returns the partitions where it did
 */
export async function advance(
  tx: Kysely<Tables>,
  log: string,
  cursor: Cursor,
  steps: Array<{ partition: number; from: number; to: number }>,
): Promise<Set<number>> {
  const table = sql.table(cursor);
  const partitions = steps.map(({ partition }) => partition);
  const { rows } = await sql<{ partition: number }>`
    with held as (
      select partition from ${table} where log = ${log} and partition = any(${partitions}::int[])
      order by partition for update
    )
    update ${table} as mine set position = step.ahead
    from held, unnest(
      ${partitions}::int[], ${steps.map(({ from }) => from)}::bigint[], ${steps.map(({ to }) => to)}::bigint[]
    ) as step (partition, behind, ahead)
    where mine.log = ${log} and mine.partition = held.partition
      and step.partition = mine.partition and mine.position = step.behind
    returning mine.partition`.execute(tx);
  return new Set(rows.map(({ partition }) => partition));
}
