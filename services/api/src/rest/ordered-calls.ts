/** Calls that are ordered, connected, and listed while they live (reference 2.9, 2.14). */
import { createHash, randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { callIdOfOrder } from '@opentact/proto';
import type { Selectable } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../database/database.ts';
import { callerOf } from '../ordering/caller.ts';
import { giveBack, place, reserveFor, type Wish } from '../ordering/place.ts';
import { Call, callOf } from './call-object.ts';
import type { Engine } from './engine.ts';
import { answers, ok, Uuid } from './envelope.ts';
import { badInput, notFound, RestError } from './errors.ts';
import { operation } from './operation.ts';

const DOCUMENT_MAX = 65_536;
/** A document of the largest size, however it is escaped. */
const BODY_MAX = 512 * 1024;

/** What a call that is ordered runs, and on whose behalf. */
export const Ordered = {
  outbound_voice_profile: Type.Optional(Uuid),
  tn_lease: Type.Optional(Uuid),
  sip_control_app: Type.Optional(Uuid),
  xml: Type.Optional(Type.String({ minLength: 1, maxLength: DOCUMENT_MAX, description: 'A call-flow document.' })),
  call_flow_url: Type.Optional(
    Type.String({
      maxLength: 2048,
      pattern: '^https?://.+$',
      description: 'http or https; asked for the document once the callee answers.',
    }),
  ),
  call_flow_method: Type.Optional(Type.Union([Type.Literal('GET'), Type.Literal('POST')])),
  ring_timeout: Type.Optional(
    Type.Integer({ minimum: 5000, maximum: 120_000, description: 'Milliseconds to ring; 30000 where absent.' }),
  ),
};
const New = Type.Object({
  to: Type.Union([
    Type.Integer({ minimum: 100, maximum: 999_999_999_999_999 }),
    Type.String({ minLength: 3, maxLength: 255, description: 'A phone number, or sip:user@host.' }),
  ]),
  ...Ordered,
});
const Pair = Type.Object({ call_a: Uuid, call_b: Uuid });
export const KeyHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
});

/** @throws RestError 400 where there is neither document nor address */
export function wishOf(body: Omit<Static<typeof New>, 'to'>, to: string): Wish {
  const { xml = '', call_flow_url = '', call_flow_method = 'GET', ring_timeout = 0 } = body;
  if (xml === '' && call_flow_url === '')
    throw badInput({
      'body.xml': { message: 'give the document that the callee hears, or call_flow_url, where it is asked for' },
    });
  return { to, xml, callFlowUrl: call_flow_url, callFlowMethod: call_flow_method, ringTimeoutMs: ring_timeout };
}

/** The same for the same request, whatever the order of its fields. */
export const hashOf = (request: object): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex');

export const ANOTHER_REQUEST = 'this Idempotency-Key was used for another request';
const ONLINE_MAX = 1000;

type LoggedCall = Selectable<Tables['call_log']>;

const ofLog = (row: LoggedCall): Parameters<typeof callOf>[0] => ({
  callId: row.id,
  direction: row.direction,
  from: row.caller,
  to: row.called,
  state: row.state === 'hangup' ? 'destroyed' : row.state,
  verb: '',
  owner: row.owner,
  reason: row.reason,
  createdAt: row.created_on.getTime(),
  answeredAt: row.answer_on?.getTime() ?? 0,
  endedAt: row.hangup_on?.getTime() ?? 0,
  accountId: row.account_id,
  appId: row.app_id,
});

export const orderedCalls =
  (db: Database, engine: Engine): FastifyPluginAsyncTypebox =>
  async (http) => {
    /** The call of a key that was used before; undefined where it was not, or nobody knows whether its call was made. */
    const known = async (id: string, request_hash: string): Promise<Static<typeof Call> | undefined> => {
      const row = await db
        .selectFrom('ordered_call')
        .leftJoin('call_log', 'call_log.id', 'ordered_call.id')
        .selectAll('call_log')
        .select('ordered_call.request_hash')
        .where('ordered_call.id', '=', id)
        .executeTakeFirst();
      if (!row) return undefined;
      if (row.request_hash !== request_hash) throw new RestError(409, ANOTHER_REQUEST);
      // The log knows it longer than the journal is kept.
      if (row.id && row.state === 'hangup') return callOf(ofLog(row as LoggedCall));
      const call = await engine.call(id);
      return call && callOf(call);
    };

    const make = {
      ...operation(
        'CreateCall',
        'Calls',
        'Make a call',
        'Rings `to` and runs the document once it is answered. The same Idempotency-Key is the same call.',
      ),
      headers: KeyHeaders,
      body: New,
      response: answers(Call, { status: 201, failures: [402, 409, 503] }),
    };
    http.post('/call', { schema: make, bodyLimit: BODY_MAX }, async ({ identity, body, headers }, reply) => {
      const { accountId } = identity;
      const key = headers['idempotency-key'] ?? randomUUID();
      const request_hash = hashOf(body);
      const to = String(body.to);
      const wish = wishOf(body, to);
      const before = await known(callIdOfOrder(accountId, key), request_hash);
      if (before) {
        reply.code(201);
        return ok(before);
      }
      const { caller, orderedOn } = await db.transaction().execute(async (tx) => {
        const named = { profileId: body.outbound_voice_profile, leaseId: body.tn_lease, appId: body.sip_control_app };
        const caller = await callerOf(tx, accountId, named);
        const id = callIdOfOrder(accountId, key);
        const fresh = await tx
          .insertInto('ordered_call')
          .values({ id, account_id: accountId, idempotency_key: key, request_hash })
          .onConflict((c) => c.doNothing())
          .returning('ordered_on')
          .executeTakeFirst();
        if (fresh) {
          await reserveFor(tx, { accountId, caller, key, to });
          return { caller, orderedOn: fresh.ordered_on };
        }
        const other = await tx.selectFrom('ordered_call').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
        if (other.request_hash !== request_hash) throw new RestError(409, ANOTHER_REQUEST);
        return { caller, orderedOn: other.ordered_on };
      });
      const uuid = await place(engine, { ...wish, accountId, caller, key, orderedOn }).catch(async (error: unknown) => {
        // Refused for good: nothing was made, and the key is free for an order that is right.
        if (error instanceof RestError && error.status === 400) {
          await giveBack(db, accountId, key);
          await db.deleteFrom('ordered_call').where('id', '=', callIdOfOrder(accountId, key)).execute();
        }
        throw error;
      });
      const call = await engine.call(uuid);
      if (!call) throw new RestError(503, 'the call is being made; ask for it again');
      reply.code(201);
      return ok(callOf(call));
    });

    const bridge = {
      ...operation(
        'BridgeCalls',
        'Calls',
        'Connect two live calls',
        'What runs in them ends; when one of them is hung up the other goes on with its next verb.',
      ),
      headers: KeyHeaders,
      body: Pair,
      response: answers(Type.Array(Call), { failures: [404, 409, 503] }),
    };
    http.post('/call/bridge', { schema: bridge }, async ({ identity, body, headers }) => {
      const read = async (uuid: string) => {
        const call = await engine.call(uuid);
        if (call?.accountId !== identity.accountId) throw notFound('call');
        return call;
      };
      const [a, b] = await Promise.all([read(body.call_a), read(body.call_b)]);
      if (a.callId === b.callId) throw badInput({ 'body.call_b': { message: 'is the same call' } });
      await engine.bridge(a.callId, b.callId, headers['idempotency-key'] ?? randomUUID());
      return ok([callOf(await read(a.callId)), callOf(await read(b.callId))]);
    });

    const online = { response: answers(Type.Array(Call), { failures: [503] }) };
    for (const [path, id] of [
      ['/call/online', 'GetCallsOnline'],
      ['/sip/app/call/online', 'GetSIPControlAppCallsList'],
    ] as const)
      http.get(
        path,
        { schema: { ...operation(id, 'Calls', 'List calls that live', `The newest ${ONLINE_MAX}.`), ...online } },
        async ({ identity }) => {
          const rows = await db
            .selectFrom('call_log')
            .selectAll()
            .where('account_id', '=', identity.accountId)
            .where('state', 'in', ['init', 'ringing', 'live'])
            .orderBy('created_on', 'desc')
            .limit(ONLINE_MAX)
            .execute();
          return ok(rows.map((row) => callOf(ofLog(row))));
        },
      );
  };
