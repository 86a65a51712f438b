/** The flow log of an app: each verb that ended, searched page by page (reference 2.9, section 8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Expression, type Selectable, type SqlBool, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { isUuid } from '../../kernel/uuid.ts';
import { answers, Moment, ok, optionalBody, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { notFound } from '../../rest/errors.ts';
import { operation } from '../../rest/operation.ts';
import { BODY_PAGE, Direction, joined, MOMENTS } from '../../rest/search.ts';
import {
  behind,
  type Key,
  LogMode,
  LogQuery,
  logPageOf,
  momentKey,
  placeOf,
  totalOf,
  untilOf,
  wasThere,
} from './log-pages.ts';
import { isLike, Mask, OwnNumber, windowOf } from './masks.ts';

const Flow = Type.Object(
  {
    call: Uuid,
    seq: Type.Integer(),
    from: Type.String({ description: 'Who calls in its call.' }),
    tn: Type.String({ description: 'The number of the account in its call: called or calling.' }),
    document: Type.Integer(),
    path: Type.String(),
    name: Type.String(),
    success: Type.Boolean(),
    reason: Type.String(),
    tag: Type.String(),
    created_on: Moment,
  },
  { title: 'FlowLogEntry' },
);
const Filters = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 32, description: 'Of the verb.' })),
  success: Type.Optional(Type.Boolean()),
  call: Type.Optional(Uuid),
  from: Type.Optional(Mask),
  tn: Type.Optional(OwnNumber),
  ...MOMENTS,
  mode: Type.Optional(LogMode),
  order: Type.Optional(
    Type.Object(
      {
        name: Type.Optional(Direction),
        from: Type.Optional(Direction),
        tn: Type.Optional(Direction),
        created_on: Type.Optional(Direction),
        modified_on: Type.Optional(Direction),
      },
      {
        maxProperties: 1,
        description:
          'By one of them. ASC: where it is the same the latest first; DESC is the reverse. Left out: created_on DESC.',
      },
    ),
  ),
  ...BODY_PAGE,
});
type Filters = Static<typeof Filters>;

type Logged = Selectable<Tables['flow_log']>;
/** By the collation of their indexes. */
const caller = sql<string>`caller collate "C"`;
const ownNumber = sql<string>`own_number collate "C"`;

/** The latest first. */
const LATEST: Array<Key<Logged>> = [
  { of: sql.ref('created_on'), way: 'desc', value: ({ created_on }) => created_on.toISOString(), parse: momentKey },
  { of: sql.ref('call_id'), way: 'asc', value: ({ call_id }) => call_id, parse: (id) => (isUuid(id) ? id : undefined) },
  {
    of: sql.ref('seq'),
    way: 'desc',
    value: ({ seq }) => String(seq),
    parse: (seq) => (/^\d{1,9}$/.test(seq) ? seq : undefined),
  },
];
const BY: Record<'name' | 'from' | 'tn', Key<Logged>> = {
  name: { of: sql.ref('name'), way: 'asc', value: ({ name }) => name },
  from: { of: caller, way: 'asc', value: (row) => row.caller },
  tn: { of: ownNumber, way: 'asc', value: (row) => row.own_number },
};

/** What rows are ordered by: what an index has, forwards or backwards. A row never changes: it was changed when it was made. */
function keysOf(order: Filters['order'] = {}): Array<Key<Logged>> {
  const [[field, way] = ['created_on', 'DESC'] as const] = Object.entries(order) as Array<
    [keyof NonNullable<Filters['order']>, 'ASC' | 'DESC']
  >;
  const isByTime = field === 'created_on' || field === 'modified_on';
  const keys = isByTime ? LATEST : [BY[field], ...LATEST];
  const isReverse = isByTime ? way === 'ASC' : way === 'DESC';
  return isReverse ? keys.map((key) => ({ ...key, way: key.way === 'asc' ? 'desc' : 'asc' })) : keys;
}

/** The verbs that are asked for. `isWhole`: none was too old to be looked at. */
async function searched(db: Database, accountId: string, appId: string, body: Filters, snapshot: string) {
  const { name, success, call, from, tn } = body;
  const asked: Array<Expression<SqlBool> | undefined> = [
    name === undefined ? undefined : sql<boolean>`name = ${name}`,
    success === undefined ? undefined : sql<boolean>`success = ${success}`,
    call === undefined ? undefined : sql<boolean>`call_id = ${call}`,
    isLike(caller, from),
    isLike(ownNumber, tn),
  ];
  const there = db
    .selectFrom('flow_log')
    .where('account_id', '=', accountId)
    .where('app_id', '=', appId)
    .where(wasThere('added_by', snapshot));
  const oldest = await windowOf(there, [from, tn]);
  const mine = there
    .$if(oldest !== undefined, (q) => q.where('created_on', '>', oldest!))
    .where(joined(body.mode, asked));
  const since = [body.created_on_from, body.modified_on_from].filter((moment) => moment !== undefined);
  const until = [body.created_on_to, body.modified_on_to].filter((moment) => moment !== undefined);
  const narrowed = since.reduce((q, moment) => q.where('created_on', '>=', new Date(moment)), mine);
  return {
    mine: until.reduce((q, moment) => q.where('created_on', '<=', new Date(moment)), narrowed),
    isWhole: oldest === undefined,
  };
}

const hasApp = async (db: Database, uuid: string, accountId: string) =>
  (await db
    .selectFrom('app')
    .select('id')
    .where('id', '=', uuid)
    .where('account_id', '=', accountId)
    .executeTakeFirst()) !== undefined;

export const flowLog =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const schema = {
      ...operation(
        'SearchCallFlowLogs',
        'Logs',
        'Search the flow log of an app',
        'Each verb that ended, the latest first. With the `until` of the page before, the next holds what was there at the first, and costs the same however deep it is.',
      ),
      params: UuidPath,
      querystring: LogQuery,
      body: optionalBody(Filters),
      response: answers(logPageOf(Flow), { failures: [404] }),
    };
    http.post('/sip/app/:uuid/logs', { schema }, async ({ identity, params, query, body: given }) => {
      const body = given ?? {};
      const { take = body.take ?? 10, skip = body.skip ?? 0 } = query;
      const { take: _, skip: __, ...search } = { ...body, app: params.uuid };
      const place = await placeOf(db, query.until, search);
      const { snapshot } = place;
      const { mine, isWhole } = await searched(db, identity.accountId, params.uuid, body, snapshot);
      const keys = keysOf(body.order);
      const from = behind(keys, place, skip);
      const [total, rows] = await Promise.all([
        totalOf(db, mine),
        keys
          .reduce((q, { of, way }) => q.orderBy(of, way), mine.selectAll())
          .$if(from !== undefined, (q) => q.where(from!))
          .limit(take)
          .offset(from ? skip - place.ended!.skip : skip)
          .execute(),
      ]);
      const last = rows.at(-1);
      const ended = last && { search, skip: skip + rows.length, values: keys.map((key) => key.value(last)) };
      // The app may be gone; what it ran is still told to its account.
      if (rows.length === 0 && !(await hasApp(db, params.uuid, identity.accountId))) throw notFound('SIP control app');
      const total_is_exact = total.total_is_exact && isWhole;
      return ok({ take, skip, ...total, total_is_exact, data: rows.map(told), until: untilOf(snapshot, ended) });
    });
  };

const told = (row: Logged) => ({
  call: row.call_id,
  seq: row.seq,
  from: row.caller,
  tn: row.own_number,
  document: row.document,
  path: row.path,
  name: row.name,
  success: row.success,
  reason: row.reason,
  tag: row.tag,
  created_on: stamp(row.created_on),
});
