/**
 * What concerns the whole installation, for its own Admins (reference 2.19, `/admin`): jobs, numbers given without an
 * order, credit. Class4 is left out: there is none behind this platform.
 */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { stateOf } from '@opentact/numbering';
import { VOICES } from '@opentact/voices';
import { sql } from 'kysely';
import { Type } from 'typebox';
import { isUniqueViolation } from '../../database/constraints.ts';
import type { Database } from '../../database/database.ts';
import { JOBS, runJob } from '../../jobs/jobs.ts';
import { move } from '../../money/move.ts';
import { Transaction, transactionOf } from '../../money/rest/transactions.ts';
import { MONTH_MS } from '../../numbers/lease-months.ts';
import { mustBeOperator } from '../../rest/auth/roles.ts';
import { answers, ok, TelephoneNumber, tnOf, Uuid, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound, RestError } from '../../rest/errors.ts';
import { WithoutEffect } from '../../rest/known.ts';
import { type Http, operation } from '../../rest/operation.ts';

const TNS_MAX = 100;
const CREDIT_MAX = 1_000_000;
const NORTH_AMERICAN = /^1[2-9]\d\d[2-9]\d{6}$/;
/** Of numbers outside the North American plan nothing is known here (ISO 3166 leaves ZZ to its users). */
const SOMEWHERE = 'ZZ';

export const admin =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    http.addHook('preHandler', async ({ identity }) => mustBeOperator(identity));
    scheduleAction(http, db);
    systemDICTGTTSReload(http);
    tnleaseCreate(http, db);
    creditAccount(http, db);
  };

function scheduleAction(http: Http, db: Database): void {
  const scheduled = {
    ...operation(
      'ScheduleAction',
      'Administration',
      'Run a job now',
      `One of ${Object.keys(JOBS).join(', ')}. Each runs by itself every hour as well.`,
    ),
    params: Type.Object({ action: Type.String({ maxLength: 64 }) }),
    response: answers(Type.Object({ changed: Type.Integer() }), { failures: [403, 404, 409] }),
  };
  http.get('/admin/schedule/:action', { schema: scheduled }, async ({ params: { action } }) => {
    if (!Object.hasOwn(JOBS, action)) throw notFound(`job; there is ${Object.keys(JOBS).join(', ')}`);
    const changed = await runJob(db, action);
    if (changed === undefined) throw new RestError(409, 'another process runs it now');
    return ok({ changed });
  });
}

function systemDICTGTTSReload(http: Http): void {
  const reloaded = {
    ...operation(
      'SystemDICTGTTSReload',
      'Administration',
      'Read the voices again',
      'They come with the release, so there is nothing to fetch; the answer says how many there are.',
    ),
    response: answers(Type.Object({ voices: Type.Integer() }), { failures: [403] }),
  };
  http.get('/admin/system/dict_gtts_reload', { schema: reloaded }, async () => ok({ voices: VOICES.length }));
}

function tnleaseCreate(http: Http, db: Database): void {
  const leased = {
    ...operation(
      'TnleaseCreate',
      'Administration',
      'Give an account numbers without an order',
      'One’s own unless `account` names another; free of charge. A number that isn’t in the inventory is put there.',
    ),
    body: Type.Object({
      tns: Type.Array(TelephoneNumber, { minItems: 1, maxItems: TNS_MAX }),
      autorenew: Type.Optional(Type.Boolean()),
      account: Type.Optional(Uuid),
      tn_profile: WithoutEffect,
      messaging_profile: WithoutEffect,
    }),
    response: answers(Type.Array(Type.Object({ uuid: Uuid, tn: Type.Integer() })), {
      status: 201,
      failures: [403, 409],
    }),
  };
  http.post('/admin/tnlease/create', { schema: leased }, async ({ identity, body }, reply) => {
    const accountId = body.account ?? identity.accountId;
    const leases = [...new Set(body.tns.map(tnOf))].map((tn) => ({ uuid: randomUUID(), tn }));
    await db.transaction().execute(async (tx) => {
      const account = await tx.selectFrom('account').select('id').where('id', '=', accountId).executeTakeFirst();
      if (!account) throw badInput({ 'body.account': { message: 'is no account', value: accountId } });
      await tx
        .insertInto('inventory')
        .values(leases.map(({ tn }) => ({ tn: String(tn), ...placeOf(String(tn)), features: ['voice'] })))
        .onConflict((c) => c.doNothing())
        .execute();
      const about = { account_id: accountId, order_id: null, app_id: null, features: ['voice'], released_on: null };
      await tx
        .insertInto('lease')
        .values(
          leases.map(({ uuid, tn }) => ({
            ...about,
            id: uuid,
            tn: String(tn),
            autorenew: body.autorenew ?? true,
            expires_on: new Date(Date.now() + MONTH_MS),
          })),
        )
        .execute()
        .catch(isLeased);
    });
    reply.code(201);
    return ok(leases);
  });
}

function creditAccount(http: Http, db: Database): void {
  const credited = {
    ...operation(
      'CreditAccount',
      'Administration',
      'Credit an account',
      'In the place of payment providers. The same `Idempotency-Key` credits once.',
    ),
    params: UuidPath,
    headers: Type.Object({ 'idempotency-key': Type.String({ minLength: 1, maxLength: 128 }) }),
    body: Type.Object({
      amount: Type.Number({ exclusiveMinimum: 0, maximum: CREDIT_MAX }),
      description: Type.Optional(Type.String({ maxLength: 255 })),
    }),
    response: answers(Transaction, { status: 201, failures: [403, 404, 409] }),
  };
  http.post('/admin/account/:uuid/credit', { schema: credited }, async ({ params, body, headers }, reply) => {
    const { amount, description = '' } = body;
    const ref = `credit ${headers['idempotency-key']}`;
    if (Math.abs(amount * 10_000 - Math.round(amount * 10_000)) > 1e-6)
      throw badInput({ 'body.amount': { message: 'must have four decimals at most', value: amount } });
    const row = await db.transaction().execute(async (tx) => {
      const account = await tx.selectFrom('account').select('id').where('id', '=', params.uuid).executeTakeFirst();
      if (!account) throw notFound('account');
      await move(tx, { accountId: account.id, amount, reason: 'payment', ref, description });
      return tx
        .selectFrom('transaction')
        .selectAll()
        .where('account_id', '=', account.id)
        .where('ref_type', '=', 'payment')
        .where('ref_id', '=', ref)
        .select(sql<boolean>`amount = ${amount}::numeric`.as('same'))
        .executeTakeFirstOrThrow();
    });
    if (!row.same) throw new RestError(409, 'this Idempotency-Key credited another amount');
    reply.code(201);
    return ok(transactionOf(row));
  });
}

const placeOf = (tn: string) => ({
  country: NORTH_AMERICAN.test(tn) ? 'US' : SOMEWHERE,
  state: NORTH_AMERICAN.test(tn) ? stateOf(tn) : '',
});

function isLeased(error: { detail?: string }): never {
  if (!isUniqueViolation(error)) throw error;
  const [, tn = 'one of them'] = /\(tn\)=\((\d+)\)/.exec(error.detail ?? '') ?? [];
  throw new RestError(409, `${tn} is leased already; nothing was changed`);
}
