/**
 * Pages of a log that grows: the first page says `until`, and whoever sends it back sees what was there then, each row
 * once. It is a snapshot of the database: it lasts until the log is made anew.
 */
import { type SelectQueryBuilder, sql } from 'kysely';
import { type TSchema, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { pageOf } from '../../rest/envelope.ts';
import { badInput } from '../../rest/errors.ts';

const Until = Type.String({
  pattern: '^[A-Za-z0-9_-]{4,2048}$',
  description: 'the `until` of the first page: only what was there then',
});
/** Without defaults: a body may say how many, too. */
export const LogQuery = Type.Object({
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Left out: 10.' })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Left out: 0.' })),
  until: Type.Optional(Until),
});

/** Rows are counted up to so many, so that no page costs more the longer the log is. */
const TOTAL_MAX = 10_000;

export const logPageOf = <T extends TSchema>(row: T) =>
  Type.Object({
    ...pageOf(row).properties,
    total_is_exact: Type.Boolean({
      description: `False: there are more than \`total\`, or older rows were not looked at. Counted up to ${TOTAL_MAX}.`,
    }),
    until: Type.String({ description: 'For the next pages.' }),
  });

/** How many rows a search has, up to a bound. @param rows what is searched, without order and bound */
export async function totalOf<DB, T extends keyof DB>(
  db: Database,
  rows: SelectQueryBuilder<DB, T, object>,
): Promise<{ total: number; total_is_exact: boolean }> {
  const some = rows.select(sql<number>`1`.as('one')).limit(TOTAL_MAX + 1);
  const { rows: found } = await sql<{ count: number }>`select count(*)::int as count from (${some}) as counted`.execute(
    db,
  );
  const { count } = found[0]!;
  return { total: Math.min(count, TOTAL_MAX), total_is_exact: count <= TOTAL_MAX };
}

/** What is committed at one moment. @throws RestError 400 for what is none of ours */
export async function snapshotOf(db: Database, until: string | undefined): Promise<string> {
  if (until === undefined) {
    const { rows } = await sql<{ now: string }>`select pg_current_snapshot()::text as now`.execute(db);
    return rows[0]!.now;
  }
  const text = Buffer.from(until, 'base64url').toString('latin1');
  if (isSnapshot(text)) return text;
  throw badInput({ 'query.until': { message: 'must be the `until` of a page' } });
}

export const untilOf = (snapshot: string) => Buffer.from(snapshot).toString('base64url');

export const wasThere = (by: 'added_by' | 'ended_by', snapshot: string) =>
  sql<boolean>`pg_visible_in_snapshot(${sql.ref(by)}, ${snapshot}::pg_snapshot)`;

/** xmin:xmax:those in progress, rising and between them: what PostgreSQL takes. */
function isSnapshot(text: string): boolean {
  const [, least, most, list = ''] = /^(\d{1,18}):(\d{1,18}):([\d,]*)$/.exec(text) ?? [];
  if (least === undefined || most === undefined) return false;
  const [from, to] = [BigInt(least), BigInt(most)];
  const going = list === '' ? [] : list.split(',');
  if (from < 1n || from > to || going.some((id) => !/^\d{1,18}$/.test(id))) return false;
  const ids = going.map(BigInt);
  return ids.every((id, i) => id >= from && id < to && (i === 0 || id > ids[i - 1]!));
}
