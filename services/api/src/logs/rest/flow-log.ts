/** The flow log of an app: each verb that ended, searched page by page (reference 2.9, section 8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { isUuid } from '../../kernel/uuid.ts';
import { answers, Moment, ok, optionalBody, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { notFound } from '../../rest/errors.ts';
import { operation } from '../../rest/operation.ts';
import { behind, type Key, LogQuery, logPageOf, momentKey, placeOf, totalOf, untilOf, wasThere } from './log-pages.ts';

const Flow = Type.Object(
  {
    call: Uuid,
    seq: Type.Integer(),
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
  name: Type.Optional(Type.String({ maxLength: 32 })),
  success: Type.Optional(Type.Boolean()),
  call: Type.Optional(Uuid),
  created_on_from: Type.Optional(Moment),
  created_on_to: Type.Optional(Moment),
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
});

type Logged = { created_on: Date; call_id: string; seq: number };
/** The latest first. */
const KEYS: Array<Key<Logged>> = [
  { of: sql.ref('created_on'), way: 'desc', value: ({ created_on }) => created_on.toISOString(), parse: momentKey },
  { of: sql.ref('call_id'), way: 'asc', value: ({ call_id }) => call_id, parse: (id) => (isUuid(id) ? id : undefined) },
  {
    of: sql.ref('seq'),
    way: 'desc',
    value: ({ seq }) => String(seq),
    parse: (seq) => (/^\d{1,9}$/.test(seq) ? seq : undefined),
  },
];

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
      const from = behind(KEYS, place, skip);
      const mine = db
        .selectFrom('flow_log')
        .where('account_id', '=', identity.accountId)
        .where('app_id', '=', params.uuid)
        .where(wasThere('added_by', snapshot))
        .$if(body.name !== undefined, (q) => q.where('name', '=', body.name!))
        .$if(body.success !== undefined, (q) => q.where('success', '=', body.success!))
        .$if(body.call !== undefined, (q) => q.where('call_id', '=', body.call!))
        .$if(body.created_on_from !== undefined, (q) => q.where('created_on', '>=', new Date(body.created_on_from!)))
        .$if(body.created_on_to !== undefined, (q) => q.where('created_on', '<=', new Date(body.created_on_to!)));
      const [total, rows] = await Promise.all([
        totalOf(db, mine),
        KEYS.reduce((q, { of, way }) => q.orderBy(of, way), mine.selectAll())
          .$if(from !== undefined, (q) => q.where(from!))
          .limit(take)
          .offset(from ? skip - place.ended!.skip : skip)
          .execute(),
      ]);
      const last = rows.at(-1);
      const ended = last && { search, skip: skip + rows.length, values: KEYS.map((key) => key.value(last)) };
      // The app may be gone; what it ran is still told to its account.
      if (rows.length === 0 && !(await hasApp(db, params.uuid, identity.accountId))) throw notFound('SIP control app');
      const data = rows.map(({ call_id, seq, document, path, name, success, reason, tag, created_on }) => ({
        call: call_id,
        seq,
        document,
        path,
        name,
        success,
        reason,
        tag,
        created_on: stamp(created_on),
      }));
      return ok({ take, skip, ...total, data, until: untilOf(snapshot, ended) });
    });
  };
