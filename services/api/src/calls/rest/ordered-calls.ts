/** Calls that are ordered, connected, and listed while they live (reference 2.9, 2.14). */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { callIdOfOrder } from '@opentact/proto';
import type { Insertable, Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { Refusal } from '../../kernel/refusal.ts';
import { type LoggedCall, objectOfRow } from '../../logs/row.ts';
import { answers, ok, Uuid } from '../../rest/envelope.ts';
import { badInput, notFound, RestError } from '../../rest/errors.ts';
import { ANOTHER_REQUEST, hashOf, KeyHeaders } from '../../rest/idempotency.ts';
import { type Http, operation } from '../../rest/operation.ts';
import type { Engine } from '../engine.ts';
import { placeCall, type Remembered, type Wish } from '../place-call.ts';
import { Call, callOf } from './call-object.ts';

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

/** @throws RestError 400 where there is neither document nor address, or both */
export function wishOf(body: Omit<Static<typeof New>, 'to'>, to: string): Wish {
  const { xml = '', call_flow_url = '', call_flow_method = 'GET', ring_timeout = 0 } = body;
  if (xml === '' && call_flow_url === '')
    throw badInput({
      'body.xml': { message: 'give the document that the callee hears, or call_flow_url, where it is asked for' },
    });
  if (xml !== '' && call_flow_url !== '')
    throw badInput({ 'body.call_flow_url': { message: 'stands beside xml: give one of them' } });
  return { to, xml, callFlowUrl: call_flow_url, callFlowMethod: call_flow_method, ringTimeoutMs: ring_timeout };
}

const ONLINE_MAX = 1000;

/** Under its key, once. @throws Refusal conflict where the key is another request's */
async function remember(tx: Kysely<Tables>, of: Insertable<Tables['ordered_call']>): Promise<Remembered> {
  const fresh = await tx
    .insertInto('ordered_call')
    .values(of)
    .onConflict((c) => c.doNothing())
    .returning('ordered_on')
    .executeTakeFirst();
  if (fresh) return { orderedOn: fresh.ordered_on, wasTried: false };
  const other = await tx.selectFrom('ordered_call').selectAll().where('id', '=', of.id).executeTakeFirstOrThrow();
  if (other.request_hash !== of.request_hash) throw new Refusal('conflict', ANOTHER_REQUEST);
  return { orderedOn: other.ordered_on, wasTried: true };
}

export const orderedCalls =
  (db: Database, engine: Engine): FastifyPluginAsyncTypebox =>
  async (http) => {
    createCall(http, db, engine);
    bridgeCalls(http, engine);
    listOnline(http, db);
  };

function createCall(http: Http, db: Database, engine: Engine): void {
  /** The call of a key, and whether the key was used before; no call: there is none, or nobody knows yet. */
  const known = async (
    id: string,
    request_hash: string,
  ): Promise<{ wasTried: boolean; call?: Static<typeof Call> | undefined }> => {
    const row = await db
      .selectFrom('ordered_call')
      .leftJoin('call_log', 'call_log.id', 'ordered_call.id')
      .selectAll('call_log')
      .select('ordered_call.request_hash')
      .where('ordered_call.id', '=', id)
      .executeTakeFirst();
    if (!row) return { wasTried: false };
    if (row.request_hash !== request_hash) throw new RestError(409, ANOTHER_REQUEST);
    // The log knows it longer than the journal is kept.
    if (row.id && row.hangup_on) return { wasTried: true, call: callOf(objectOfRow(row as LoggedCall)) };
    const call = await engine.call(id);
    return { wasTried: true, call: call && callOf(call.object) };
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
    const wish = wishOf(body, String(body.to));
    const id = callIdOfOrder(accountId, key);
    const { wasTried, call: before } = await known(id, request_hash);
    if (before) {
      reply.code(201);
      return ok(before);
    }
    const { outbound_voice_profile: profileId, tn_lease: leaseId, sip_control_app: appId } = body;
    const uuid = await placeCall(db, engine, {
      ...wish,
      accountId,
      named: { profileId, leaseId, appId },
      key,
      wasTried,
      remember: (tx) => remember(tx, { id, account_id: accountId, idempotency_key: key, request_hash }),
    });
    const call = await engine.call(uuid);
    if (!call) throw new RestError(503, 'the call is being made; ask for it again');
    reply.code(201);
    return ok(callOf(call.object));
  });
}

function bridgeCalls(http: Http, engine: Engine): void {
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
    return ok([callOf((await read(a.callId)).object), callOf((await read(b.callId)).object)]);
  });
}

function listOnline(http: Http, db: Database): void {
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
        return ok(rows.map((row) => callOf(objectOfRow(row))));
      },
    );
}
