/** The call log of an account: searched by masks, page by page, each call once however many come in (section 8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Expression, type SqlBool, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import { Call, callOf } from '../../calls/rest/call-object.ts';
import type { Database } from '../../database/database.ts';
import { isUuid } from '../../kernel/uuid.ts';
import { answers, Moment, ok, optionalBody, Uuid } from '../../rest/envelope.ts';
import { operation } from '../../rest/operation.ts';
import { type LoggedCall, objectOfRow } from '../row.ts';
import { behind, type Key, LogQuery, logPageOf, momentKey, placeOf, totalOf, untilOf, wasThere } from './log-pages.ts';
import { isLike, Mask, OwnNumber, windowOf } from './masks.ts';

const Way = Type.Union([Type.Literal('ASC'), Type.Literal('DESC')]);
const Filters = Type.Object({
  direction: Type.Optional(Type.Union([Type.Literal('in'), Type.Literal('out')])),
  from: Type.Optional(Mask),
  to: Type.Optional(Mask),
  tn: Type.Optional(OwnNumber),
  state: Type.Optional(Type.Union([Type.Literal('online'), Type.Literal('offline')])),
  sip_control_app: Type.Optional(Uuid),
  created_on_from: Type.Optional(Moment),
  created_on_to: Type.Optional(Moment),
  modified_on_from: Type.Optional(Moment),
  modified_on_to: Type.Optional(Moment),
  mode: Type.Optional(
    Type.Union([Type.Literal('AND'), Type.Literal('OR')], {
      description: 'How filters go together; those of time always narrow. Left out: AND.',
    }),
  ),
  order: Type.Optional(
    Type.Object(
      {
        tn: Type.Optional(Way),
        to: Type.Optional(Way),
        from: Type.Optional(Way),
        state: Type.Optional(Way),
        created_on: Type.Optional(Way),
        modified_on: Type.Optional(Way),
      },
      { description: 'Left out: created_on DESC. Pages are exact where the order is one of what never changes.' },
    ),
  ),
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
});
type Filters = Static<typeof Filters>;

/** By the collation of their indexes. */
const caller = sql<string>`caller collate "C"`;
const called = sql<string>`called collate "C"`;
const ownNumber = sql<string>`(case direction when 'in' then called else caller end) collate "C"`;
const modified = sql<Date>`greatest(created_on, ring_on, answer_on, hangup_on)`;
const ORDER = {
  tn: ownNumber,
  to: called,
  from: caller,
  state: sql.ref('state'),
  created_on: sql.ref('created_on'),
  modified_on: modified,
};
/** Of what never changes: pages in such an order are exact, and found by the last row of the page before. */
const VALUES: Partial<Record<keyof typeof ORDER, Pick<Key<LoggedCall>, 'value' | 'parse'>>> = {
  tn: { value: ({ direction, called, caller }) => (direction === 'in' ? called : caller) },
  to: { value: ({ called }) => called },
  from: { value: ({ caller }) => caller },
  created_on: { value: ({ created_on }) => created_on.toISOString(), parse: momentKey },
};
const BY_ID: Key<LoggedCall> = {
  of: sql.ref('id'),
  way: 'asc',
  value: ({ id }) => id,
  parse: (text) => (isUuid(text) ? text : undefined),
};

/** What calls are ordered by; `isExact`: all of it never changes. */
function keysOf(order: Filters['order']): { keys: Key<LoggedCall>[]; isExact: boolean } {
  const asked = Object.entries(order ?? {}) as Array<[keyof typeof ORDER, 'ASC' | 'DESC']>;
  const fields = asked.length > 0 ? asked : [['created_on', 'DESC'] as const];
  const keys = fields.map(([field, way]) => ({
    of: ORDER[field],
    way: way === 'ASC' ? ('asc' as const) : ('desc' as const),
    value: () => '',
    ...VALUES[field],
  }));
  return { keys: [...keys, BY_ID], isExact: fields.every(([field]) => VALUES[field]) };
}

/** What is asked of a call, but for times. `snapshot`: a call is over that was over then. */
function wanted({ direction, from, to, tn, state, sip_control_app }: Filters, snapshot: string): Expression<SqlBool>[] {
  const over = wasThere('ended_by', snapshot);
  const found: Array<Expression<SqlBool> | undefined> = [
    direction === undefined ? undefined : sql<boolean>`direction = ${direction}`,
    isLike(caller, from),
    isLike(called, to),
    isLike(ownNumber, tn),
    state === undefined
      ? undefined
      : state === 'offline'
        ? sql<boolean>`coalesce(${over}, false)`
        : sql<boolean>`(ended_by is null or (ended_by >= pg_snapshot_xmin(${snapshot}::pg_snapshot) and not ${over}))`,
    sip_control_app === undefined ? undefined : sql<boolean>`app_id = ${sip_control_app}`,
  ];
  return found.filter((of) => of !== undefined);
}

/** The calls that are asked for. `isWhole`: no call was too old to be looked at. */
async function searched(db: Database, accountId: string, body: Filters, snapshot: string) {
  const filters = wanted(body, snapshot);
  const { created_on_from, created_on_to, modified_on_from, modified_on_to } = body;
  const there = db.selectFrom('call_log').where('account_id', '=', accountId).where(wasThere('added_by', snapshot));
  const oldest = await windowOf(there, [body.from, body.to, body.tn]);
  const mine = there
    .$if(oldest !== undefined, (q) => q.where('created_on', '>', oldest!))
    .$if(filters.length > 0, (q) => q.where((w) => (body.mode === 'OR' ? w.or(filters) : w.and(filters))))
    .$if(created_on_from !== undefined, (q) => q.where('created_on', '>=', new Date(created_on_from!)))
    .$if(created_on_to !== undefined, (q) => q.where('created_on', '<=', new Date(created_on_to!)))
    .$if(modified_on_from !== undefined, (q) => q.where(modified, '>=', new Date(modified_on_from!)))
    .$if(modified_on_to !== undefined, (q) => q.where(modified, '<=', new Date(modified_on_to!)));
  return { mine, isWhole: oldest === undefined };
}

async function pageOf(
  db: Database,
  accountId: string,
  body: Filters,
  { take, skip, until }: { take: number; skip: number; until: string | undefined },
) {
  const { take: _, skip: __, ...search } = body;
  const place = await placeOf(db, until, search);
  const { snapshot } = place;
  const { mine, isWhole } = await searched(db, accountId, body, snapshot);
  const { keys, isExact } = keysOf(body.order);
  const from = isExact ? behind(keys, place, skip) : undefined;
  const sorted = () =>
    keys
      .reduce((q, { of, way }) => q.orderBy(of, way), mine.selectAll())
      .$if(from !== undefined, (q) => q.where(from!))
      .limit(take)
      .offset(from ? skip - place.ended!.skip : skip)
      .execute();
  const [total, rows] = await Promise.all([
    totalOf(db, mine),
    Object.keys(body.order ?? {}).join() === 'state' ? byState(db, mine, body.order!.state!, take, skip) : sorted(),
  ]);
  const last = isExact ? rows.at(-1) : undefined;
  const ended = last && { search, skip: skip + rows.length, values: keys.map((key) => key.value(last)) };
  const data = rows.map((row) => callOf(objectOfRow(row)));
  const total_is_exact = total.total_is_exact && isWhole;
  return { take, skip, ...total, total_is_exact, data, until: untilOf(snapshot, ended) };
}

type Mine = Awaited<ReturnType<typeof searched>>['mine'];
/** In the order of their names. */
const STATES = ['destroyed', 'hangup', 'init', 'live', 'ringing'];

/**
 * By state, then the latest first: each state by the index of the latest, no more of it than the page may need. An index by state would be
 * written anew at each change of each call.
 */
async function byState(
  db: Database,
  mine: Mine,
  way: 'ASC' | 'DESC',
  take: number,
  skip: number,
): Promise<LoggedCall[]> {
  const ranked = (way === 'ASC' ? STATES : STATES.toReversed()).map(
    (state, rank) =>
      sql`(${mine
        .selectAll()
        .select(sql<number>`${rank}::int`.as('rank'))
        .where('state', '=', state)
        .orderBy('created_on', 'desc')
        .orderBy('id')
        .limit(skip + take)})`,
  );
  const { rows } = await sql<LoggedCall>`
    select * from (${sql.join(ranked, sql` union all `)}) as ranked
    order by rank, created_on desc, id limit ${take} offset ${skip}`.execute(db);
  return rows;
}

export const callLog =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const description =
      'The first page says `until`; sent back with `skip`, the next pages show what was there at the first, each call once. With the `until` of the page before, a page costs the same however deep it is.';
    const schema = { querystring: LogQuery, body: optionalBody(Filters), response: answers(logPageOf(Call)) };
    for (const [path, name] of [
      ['/call/search', 'SearchCalls'],
      ['/sip/app/call/search', 'SearchSCACalls'],
    ] as const)
      http.post(
        path,
        { schema: { ...operation(name, 'Logs', 'Search the call log', description), ...schema } },
        async ({ identity, query, body: given }) => {
          const body = given ?? {};
          const { take = body.take ?? 10, skip = body.skip ?? 0 } = query;
          return ok(await pageOf(db, identity.accountId, body, { take, skip, until: query.until }));
        },
      );
  };
