/** The call log, the flow log and recordings of an account: searched page by page, stable while calls come in (section 8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { answers, Moment, ok, optionalBody, PageQuery, pageOf, stamp, Uuid, UuidPath } from './envelope.ts';
import { notFound } from './errors.ts';
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
const Flow = Type.Object({
  call: Uuid,
  seq: Type.Integer(),
  document: Type.Integer(),
  path: Type.String(),
  name: Type.String(),
  success: Type.Boolean(),
  reason: Type.String(),
  tag: Type.String(),
  created_on: Moment,
});
const Recording = Type.Object({
  uuid: Uuid,
  call: Uuid,
  tag: Type.String(),
  url: Type.String(),
  duration: Type.Union([Type.Number(), Type.Null()]),
  transcript: Type.Union([Type.String(), Type.Null()]),
  created_on: Moment,
});

const Mask = Type.String({ minLength: 1, maxLength: 64, description: '* any run, % one position.' });
const Filters = Type.Object({
  direction: Type.Optional(Type.Union([Type.Literal('in'), Type.Literal('out')])),
  from: Type.Optional(Mask),
  to: Type.Optional(Mask),
  tn: Type.Optional(Type.Union([Mask, Type.Integer()])),
  state: Type.Optional(Type.Union([Type.Literal('online'), Type.Literal('offline')])),
  sip_control_app: Type.Optional(Uuid),
  created_on_from: Type.Optional(Moment),
  created_on_to: Type.Optional(Moment),
});
const FlowFilters = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 32 })),
  success: Type.Optional(Type.Boolean()),
  call: Type.Optional(Uuid),
  created_on_from: Type.Optional(Moment),
  created_on_to: Type.Optional(Moment),
});

const when = (moment: Date | null) => moment && stamp(moment);

export const callLog =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const hasApp = async (uuid: string, accountId: string) =>
      (await db
        .selectFrom('app')
        .select('id')
        .where('id', '=', uuid)
        .where('account_id', '=', accountId)
        .executeTakeFirst()) !== undefined;
    const schema = { querystring: PageQuery, body: optionalBody(Filters), response: answers(pageOf(Call)) };
    for (const [path, name] of [
      ['/call/search', 'SearchCalls'],
      ['/sip/app/call/search', 'SearchSCACalls'],
    ] as const)
      http.post(
        path,
        { schema: { ...operation(name, 'Logs', 'Search the call log'), ...schema } },
        async ({ identity, query, body: given }) => {
          const { take = 10, skip = 0 } = query;
          const body = given ?? {};
          const called = body.to ?? (body.tn === undefined ? undefined : String(body.tn));
          const live = ['init', 'ringing', 'live'];
          const mine = db
            .selectFrom('call_log')
            .where('account_id', '=', identity.accountId)
            .$if(body.direction !== undefined, (q) => q.where('direction', '=', body.direction!))
            .$if(body.from !== undefined, (q) => q.where('caller', 'like', likeOf(body.from!)))
            .$if(called !== undefined, (q) => q.where('called', 'like', likeOf(called!)))
            .$if(body.state === 'online', (q) => q.where('state', 'in', live))
            .$if(body.state === 'offline', (q) => q.where('state', 'not in', live))
            .$if(body.sip_control_app !== undefined, (q) => q.where('app_id', '=', body.sip_control_app!))
            .$if(body.created_on_from !== undefined, (q) =>
              q.where('created_on', '>=', new Date(body.created_on_from!)),
            )
            .$if(body.created_on_to !== undefined, (q) => q.where('created_on', '<=', new Date(body.created_on_to!)));
          const [{ total }, rows] = await Promise.all([
            mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
            mine.selectAll().orderBy('created_on', 'desc').orderBy('id').limit(take).offset(skip).execute(),
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
          return ok({ take, skip, total: Number(total), data });
        },
      );

    const flows = {
      ...operation('SearchCallFlowLogs', 'Logs', 'Search the flow log of an app', 'Each verb that ended.'),
      params: UuidPath,
      querystring: PageQuery,
      body: optionalBody(FlowFilters),
      response: answers(pageOf(Flow), { failures: [404] }),
    };
    http.post('/sip/app/:uuid/logs', { schema: flows }, async ({ identity, params, query, body: given }) => {
      const { take = 10, skip = 0 } = query;
      const body = given ?? {};
      const mine = db
        .selectFrom('flow_log')
        .where('account_id', '=', identity.accountId)
        .where('app_id', '=', params.uuid)
        .$if(body.name !== undefined, (q) => q.where('name', '=', body.name!))
        .$if(body.success !== undefined, (q) => q.where('success', '=', body.success!))
        .$if(body.call !== undefined, (q) => q.where('call_id', '=', body.call!))
        .$if(body.created_on_from !== undefined, (q) => q.where('created_on', '>=', new Date(body.created_on_from!)))
        .$if(body.created_on_to !== undefined, (q) => q.where('created_on', '<=', new Date(body.created_on_to!)));
      const [{ total }, rows] = await Promise.all([
        mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        mine
          .selectAll()
          .orderBy('created_on', 'desc')
          .orderBy('call_id')
          .orderBy('seq', 'desc')
          .limit(take)
          .offset(skip)
          .execute(),
      ]);
      if (rows.length === 0 && !(await hasApp(params.uuid, identity.accountId))) throw notFound('SIP control app');
      const data = rows.map(({ call_id, account_id: _, app_id: __, created_on, ...same }) => ({
        ...same,
        call: call_id,
        created_on: stamp(created_on),
      }));
      return ok({ take, skip, total: Number(total), data });
    });

    const recordings = {
      ...operation('ListRecordings', 'Recordings', 'List recordings'),
      querystring: PageQuery,
      response: answers(pageOf(Recording)),
    };
    http.get('/recording', { schema: recordings }, async ({ identity, query }) => {
      const { take = 10, skip = 0 } = query;
      const mine = db.selectFrom('recording_log').where('account_id', '=', identity.accountId);
      const [{ total }, rows] = await Promise.all([
        mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        mine.selectAll().orderBy('created_on', 'desc').orderBy('id').limit(take).offset(skip).execute(),
      ]);
      const data = rows.map((row) => ({
        uuid: row.id,
        call: row.call_id,
        tag: row.tag,
        url: `/recordings/${row.id}.wav`,
        duration: row.duration_ms === null ? null : Number(row.duration_ms) / 1000,
        transcript: row.transcript,
        created_on: stamp(row.created_on),
      }));
      return ok({ take, skip, total: Number(total), data });
    });
  };
