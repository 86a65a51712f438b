/** The call log of an account: searched by masks, page by page, each call once however many come in (section 8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Expression, type OrderByDirection, type SqlBool, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { answers, Moment, ok, optionalBody, stamp, Uuid } from './envelope.ts';
import { LogQuery, logPageOf, snapshotOf, untilOf, wasThere } from './log-pages.ts';
import { likeOf } from './numbers.ts';
import { operation } from './operation.ts';

const MaybeMoment = Type.Union([Moment, Type.Null()]);
const Call = Type.Object({
  uuid: Uuid,
  direction: Type.Union([Type.Literal('in'), Type.Literal('out')]),
  from: Type.String(),
  to: Type.String(),
  state: Type.String(),
  sip_control_app: Type.String(),
  created_on: Moment,
  ring_on: MaybeMoment,
  answer_on: MaybeMoment,
  hangup_on: MaybeMoment,
  owner: Type.String(),
  reason: Type.String(),
  q850: Type.Integer(),
  duration: Type.Number({ description: 'Seconds from the answer.' }),
});

const Mask = Type.String({ minLength: 1, maxLength: 64, description: '* any run, % one position.' });
const Way = Type.Union([Type.Literal('ASC'), Type.Literal('DESC')]);
const Filters = Type.Object({
  direction: Type.Optional(Type.Union([Type.Literal('in'), Type.Literal('out')])),
  from: Type.Optional(Mask),
  to: Type.Optional(Mask),
  tn: Type.Optional(
    Type.Union([Mask, Type.Integer()], { description: 'The number of the account: called or calling.' }),
  ),
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

const ownNumber = sql<string>`case direction when 'in' then called else caller end`;
const modified = sql<Date>`greatest(created_on, ring_on, answer_on, hangup_on)`;
const ORDER = {
  tn: ownNumber,
  to: sql.ref('called'),
  from: sql.ref('caller'),
  state: sql.ref('state'),
  created_on: sql.ref('created_on'),
  modified_on: modified,
};

/** What is asked of a call, but for times. `snapshot`: a call is over that was over then. */
function wanted({ direction, from, to, tn, state, sip_control_app }: Filters, snapshot: string): Expression<SqlBool>[] {
  const over = wasThere('ended_by', snapshot);
  const found: Array<Expression<SqlBool> | undefined> = [
    direction === undefined ? undefined : sql<boolean>`direction = ${direction}`,
    from === undefined ? undefined : sql<boolean>`caller like ${likeOf(from)}`,
    to === undefined ? undefined : sql<boolean>`called like ${likeOf(to)}`,
    tn === undefined ? undefined : sql<boolean>`${ownNumber} like ${likeOf(String(tn))}`,
    state === undefined
      ? undefined
      : state === 'offline'
        ? sql<boolean>`coalesce(${over}, false)`
        : sql<boolean>`coalesce(not ${over}, true)`,
    sip_control_app === undefined ? undefined : sql<boolean>`app_id = ${sip_control_app}`,
  ];
  return found.filter((of) => of !== undefined);
}

const when = (moment: Date | null) => moment && stamp(moment);

export const callLog =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const description =
      'The first page says `until`; sent back with `skip`, the next pages show what was there at the first, each call once.';
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
          const snapshot = await snapshotOf(db, query.until);
          const filters = wanted(body, snapshot);
          const { created_on_from, created_on_to, modified_on_from, modified_on_to } = body;
          const mine = db
            .selectFrom('call_log')
            .where('account_id', '=', identity.accountId)
            .where(wasThere('added_by', snapshot))
            .$if(filters.length > 0, (q) => q.where((w) => (body.mode === 'OR' ? w.or(filters) : w.and(filters))))
            .$if(created_on_from !== undefined, (q) => q.where('created_on', '>=', new Date(created_on_from!)))
            .$if(created_on_to !== undefined, (q) => q.where('created_on', '<=', new Date(created_on_to!)))
            .$if(modified_on_from !== undefined, (q) => q.where(modified, '>=', new Date(modified_on_from!)))
            .$if(modified_on_to !== undefined, (q) => q.where(modified, '<=', new Date(modified_on_to!)));
          const order = Object.entries(body.order ?? {}) as Array<[keyof typeof ORDER, 'ASC' | 'DESC']>;
          let sorted = mine.selectAll();
          for (const [field, way] of order)
            sorted = sorted.orderBy(ORDER[field], way.toLowerCase() as OrderByDirection);
          if (order.length === 0) sorted = sorted.orderBy('created_on', 'desc');
          const [{ total }, rows] = await Promise.all([
            mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
            sorted.orderBy('id').limit(take).offset(skip).execute(),
          ]);
          const data = rows.map((row) => ({
            uuid: row.id,
            direction: row.direction,
            from: row.caller,
            to: row.called,
            state: row.state,
            sip_control_app: row.app_id,
            created_on: stamp(row.created_on),
            ring_on: when(row.ring_on),
            answer_on: when(row.answer_on),
            hangup_on: when(row.hangup_on),
            owner: row.owner,
            reason: row.reason,
            q850: row.q850,
            duration: Number(row.duration_ms) / 1000,
          }));
          return ok({ take, skip, total: Number(total), data, until: untilOf(snapshot) });
        },
      );
  };
