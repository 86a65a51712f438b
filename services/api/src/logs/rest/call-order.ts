/** What the calls of a page are ordered by, and how they are found in that order. */
import { type Expression, type SqlBool, sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { isUuid } from '../../kernel/uuid.ts';
import type { LoggedCall } from '../row.ts';
import { behind, type Key, momentKey, type Place } from './log-pages.ts';
import { called, caller, type Mine, modified, ownNumber, type Searched } from './searched-calls.ts';

export type Order = Partial<Record<'tn' | 'to' | 'from' | 'state' | 'created_on' | 'modified_on', 'ASC' | 'DESC'>>;

/** In the order of their names. */
const STATES = ['destroyed', 'hangup', 'init', 'live', 'ringing'];
const latest = ({ created_on, ring_on, answer_on, hangup_on }: LoggedCall) =>
  new Date(Math.max(...[created_on, ring_on, answer_on, hangup_on].map((at) => at?.getTime() ?? 0)));

const FIELDS: Record<keyof Order, Omit<Key<LoggedCall>, 'way'>> = {
  tn: { of: ownNumber, value: ({ direction, called, caller }) => (direction === 'in' ? called : caller) },
  to: { of: called, value: (row) => row.called },
  from: { of: caller, value: (row) => row.caller },
  state: {
    of: sql.ref('state'),
    value: ({ state }) => state,
    parse: (text) => (STATES.includes(text) ? text : undefined),
  },
  created_on: { of: sql.ref('created_on'), value: ({ created_on }) => created_on.toISOString(), parse: momentKey },
  modified_on: { of: modified, value: (row) => latest(row).toISOString(), parse: momentKey },
};
const BY_ID: Key<LoggedCall> = {
  of: sql.ref('id'),
  way: 'asc',
  value: ({ id }) => id,
  parse: (text) => (isUuid(text) ? text : undefined),
};

/** Calls of one state are in the order of what else is asked for; whatever is said of nothing, the latest are first. */
export function keysOf(order: Order | undefined): Key<LoggedCall>[] {
  const asked = Object.entries(order ?? {}) as Array<[keyof Order, 'ASC' | 'DESC']>;
  const isPlain = asked.every(([field]) => field === 'state');
  const fields = isPlain ? [...asked, ['created_on', 'DESC'] as const] : asked;
  return [
    ...fields.map(([field, way]) => ({ ...FIELDS[field], way: way === 'ASC' ? ('asc' as const) : ('desc' as const) })),
    BY_ID,
  ];
}

type Page = { take: number; skip: number };
/** So many of the next calls are held against a mask before all that fit it are looked for. */
const NEXT_MAX = 20_000;

/**
 * A page of them. The planner takes calls of every kind to be spread evenly over a log, and they are not: a number may have
 * been called in one month alone. So it is told how to go on.
 * @param isFew there are so few that all of them may be looked at
 */
export async function rowsOf(
  db: Database,
  searched: Searched,
  keys: Key<LoggedCall>[],
  place: Place,
  { take, skip, isFew }: Page & { isFew: boolean },
): Promise<LoggedCall[]> {
  const { mine } = searched;
  if (keys[0]!.of === FIELDS.state.of) return byState(db, mine, keys, place, { take, skip });
  const from = behind(keys, place, skip);
  const page = { take, skip: from ? skip - place.ended!.skip : skip };
  const next = from ? mine.where(from) : mine;
  if (isFew && searched.isFiltered) return gathered(db, next, keys, page);
  if (keys[0]!.of === FIELDS.created_on.of && searched.isMasked) {
    const near = await nearby(db, searched, from, keys, page);
    return near.length === take ? near : gathered(db, next, keys, page);
  }
  return keys
    .reduce((q, { of, way }) => q.orderBy(of, way), next.selectAll())
    .limit(page.take)
    .offset(page.skip)
    .execute();
}

const keyed = (n: number) => `key_${n}`;
const asKeys = (keys: Key<LoggedCall>[]) => keys.map(({ of }, n) => sql`${of}`.as(keyed(n)));
const byKeys = (keys: Key<LoggedCall>[]) =>
  sql.join(keys.map(({ way }, n) => sql`${sql.ref(keyed(n))} ${sql.raw(way)}`));

/** All that are asked for, by the index of what is asked, and then put in order. */
const gathered = (db: Database, mine: Mine, keys: Key<LoggedCall>[], { take, skip }: Page) =>
  whole(
    db,
    keys,
    sql`with found as materialized (${mine.select(asKeys(keys))})
      select * from found order by ${byKeys(keys)} limit ${take} offset ${skip}`,
  );

/** Those among the next calls by time. */
const nearby = (
  db: Database,
  { base, columns, filter }: Searched,
  from: Expression<SqlBool> | undefined,
  keys: Key<LoggedCall>[],
  { take, skip }: Page,
) => {
  const next = keys
    .reduce((q, { of, way }) => q.orderBy(of, way), from ? base.where(from) : base)
    .select(columns)
    .limit(NEXT_MAX);
  return whole(
    db,
    keys,
    sql`select ${sql.join(asKeys(keys))} from (${next}) as call_log where ${filter}
      order by ${byKeys(keys)} limit ${take} offset ${skip}`,
  );
};

/** The rows of a page whose keys were found. */
async function whole(db: Database, keys: Key<LoggedCall>[], page: Expression<unknown>): Promise<LoggedCall[]> {
  const { rows } = await sql<LoggedCall>`
    select call_log.* from (${page}) as page join call_log on call_log.id = page.${sql.ref(keyed(keys.length - 1))}
    order by ${byKeys(keys)}`.execute(db);
  return rows;
}

/**
 * By state, then by the rest: each state by the index of the rest, no more of it than the page may need. An index by state
 * would be written anew at each change of each call.
 */
async function byState(
  db: Database,
  mine: Mine,
  [first, ...rest]: Key<LoggedCall>[],
  place: Place,
  { take, skip }: { take: number; skip: number },
): Promise<LoggedCall[]> {
  const states = first!.way === 'asc' ? STATES : STATES.toReversed();
  const { snapshot, ended } = place;
  // Made up, where its state is none: then its other values fit no key either.
  const isAhead = ended !== undefined && ended.skip <= skip;
  const at = isAhead ? states.indexOf(ended.values[0] ?? '') : 0;
  const values = at < 0 ? [] : (ended?.values.slice(1) ?? []);
  const from = isAhead ? behind(rest, { snapshot, ended: { ...ended, values } }, skip) : undefined;
  const offset = isAhead ? skip - ended.skip : skip;
  const ranked = states.slice(Math.max(0, at)).map((state, rank) => {
    const some = mine
      .selectAll()
      .select(sql<number>`${rank}::int`.as('rank'))
      .where('state', '=', state)
      .$if(rank === 0 && from !== undefined, (q) => q.where(from!));
    return sql`(${rest.reduce((q, { of, way }) => q.orderBy(of, way), some).limit(offset + take)})`;
  });
  const order = sql.join(rest.map(({ of, way }) => sql`${of} ${sql.raw(way)}`));
  const { rows } = await sql<LoggedCall>`
    select * from (${sql.join(ranked, sql` union all `)}) as ranked
    order by rank, ${order} limit ${take} offset ${offset}`.execute(db);
  return rows;
}
