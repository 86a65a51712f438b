/**
 * Pages of a log that grows: the first page says `until`, and whoever sends it back sees what was there then, each row
 * once. It is a snapshot of the database: it lasts until the log is made anew.
 */
import { sql } from 'kysely';
import { type TSchema, Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { pageOf } from './envelope.ts';
import { badInput } from './errors.ts';

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

export const logPageOf = <T extends TSchema>(row: T) =>
  Type.Object({ ...pageOf(row).properties, until: Type.String({ description: 'For the next pages.' }) });

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
