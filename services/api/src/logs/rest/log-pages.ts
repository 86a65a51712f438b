/**
 * Pages of a log that grows: the first page says `until`, and whoever sends it back sees what was there then, each row
 * once. It is a snapshot of the database: it lasts until the log is made anew. And it says which row its page ended with,
 * so that a page behind it is found by that row, however deep it lies.
 */
import { createHash } from 'node:crypto';
import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { type TSchema, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { pageOf } from '../../rest/envelope.ts';
import { badInput } from '../../rest/errors.ts';

const UNTIL_MAX = 2048;
const Until = Type.String({
  pattern: `^[A-Za-z0-9_-]{4,${UNTIL_MAX}}$`,
  description:
    'the `until` of an earlier page: only what was there at the first. With that of the page before, a page costs the same however deep it is.',
});
/** Without defaults: a body may say how many, too. */
export const LogQuery = Type.Object({
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Left out: 10.' })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Left out: 0.' })),
  until: Type.Optional(Until),
});

/** How the filters of a log go together. */
export const LogMode = Type.Union([Type.Literal('AND'), Type.Literal('OR')], {
  description: 'How filters go together; those of time always narrow. Left out: AND.',
});

/** Rows are counted up to so many, so that no page costs more the longer the log is. */
const TOTAL_MAX = 10_000;

export const logPageOf = <T extends TSchema>(row: T) =>
  Type.Object({
    ...pageOf(row).properties,
    total_is_exact: Type.Boolean({
      description: `False: there are more than \`total\`, or older rows were not looked at. Counted up to ${TOTAL_MAX}.`,
    }),
    until: Type.String({ description: 'For the next pages; best that of the page before.' }),
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

/** What rows are ordered by. `value`: of a row, as text; `parse`: back, undefined where it is none such. */
export type Key<R> = {
  of: Expression<unknown>;
  way: 'asc' | 'desc';
  value(row: R): string;
  parse?(text: string): unknown;
};

/** Where an earlier page of the same search ended: so many rows, of which the last had these values. */
type Ended = { skip: number; values: string[] };
/** `snapshot`: what is committed at one moment. */
export type Place = { snapshot: string; ended?: Ended };

/** What a search asks for and in which order, told apart from any other. */
const nameOf = (search: unknown) =>
  createHash('sha256').update(JSON.stringify(search)).digest('base64url').slice(0, 12);

/** @param search what is asked for, but for the page. @throws RestError 400 for what is none of ours */
export async function placeOf(db: Database, until: string | undefined, search: unknown): Promise<Place> {
  if (until === undefined) {
    const { rows } = await sql<{ now: string }>`select pg_current_snapshot()::text as now`.execute(db);
    return { snapshot: rows[0]!.now };
  }
  const [snapshot = '', name, ...rest] = Buffer.from(until, 'base64url').toString('utf8').split(' ');
  if (!isSnapshot(snapshot)) throw madeUp();
  const ended = name === nameOf(search) ? endedOf(rest.join(' ')) : undefined;
  return { snapshot, ...(ended && { ended }) };
}

export const snapshotOf = async (db: Database, until: string | undefined) => (await placeOf(db, until, null)).snapshot;

const madeUp = () => badInput({ 'query.until': { message: 'must be the `until` of a page' } });

/** What PostgreSQL can hold as text has no NUL. */
const isValue = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');

/** @throws RestError 400 for what is none of ours */
function endedOf(text: string): Ended {
  const [skip, ...values] = listOf(text);
  if (!Number.isSafeInteger(skip) || Number(skip) < 0 || !values.every(isValue)) throw madeUp();
  return { skip: Number(skip), values };
}

function listOf(text: string): unknown[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

/** @param ended where this page ends, of which search */
export function untilOf(snapshot: string, ended?: Ended & { search: unknown }): string {
  const where = ended && [nameOf(ended.search), JSON.stringify([ended.skip, ...ended.values])];
  const whole = Buffer.from([snapshot, ...(where ?? [])].join(' ')).toString('base64url');
  return whole.length <= UNTIL_MAX ? whole : Buffer.from(snapshot).toString('base64url');
}

/** The rows behind the last of an earlier page; undefined where that lies further on. @throws RestError 400 for what is none of ours */
export function behind<R>(keys: Array<Key<R>>, { ended }: Place, skip: number): Expression<SqlBool> | undefined {
  if (!ended || ended.skip > skip) return undefined;
  if (ended.values.length !== keys.length) throw madeUp();
  const values = keys.map(({ parse }, i) => (parse ? parse(ended.values[i]!) : ended.values[i]));
  if (values.includes(undefined)) throw madeUp();
  // The first by itself, so that an index in that order is entered there; and told so that the planner can guess how many they are.
  return keys.reduceRight<Expression<SqlBool> | undefined>((rest, { of, way }, i) => {
    const after = way === 'asc' ? '>' : '<';
    if (!rest) return sql<boolean>`${of} ${sql.raw(after)} ${values[i]}`;
    return sql<boolean>`(${of} ${sql.raw(`${after}=`)} ${values[i]} and (${of} <> ${values[i]} or ${rest}))`;
  }, undefined);
}

/** As `toISOString` writes it, with a year of four digits: JavaScript knows years that PostgreSQL doesn't. */
export const momentKey = (text: string) =>
  /^\d{4}-/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text
    ? new Date(text)
    : undefined;

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
