/** Bulk calls (reference 2.14): one document to many numbers, paced, with what became of each. */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Insertable, type Kysely, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { answers, ok, PageQuery, pageOf, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound, RestError } from '../../rest/errors.ts';
import { ANOTHER_REQUEST, hashOf, KeyHeaders } from '../../rest/idempotency.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { callerOf } from '../caller.ts';
import type { Engine } from '../engine.ts';
import { numberOf } from '../place-call.ts';
import { Batch, batchOf, ITEM_COLUMNS, Item, itemOf, readBatches } from './batch-object.ts';
import { Ordered, wishOf } from './ordered-calls.ts';

const PHONES_MAX = 10_000;
const PACE_MAX = 50;
/** So many numbers, and a document of the largest size. */
const BODY_MAX = 1024 * 1024;

const { ring_timeout: _, ...Run } = Ordered;
const Phone = Type.Union([
  Type.Integer({ minimum: 100, maximum: 999_999_999_999_999 }),
  Type.String({ minLength: 3, maxLength: 32, description: 'A phone number.' }),
]);
const New = Type.Object({
  phones: Type.Array(Phone, {
    minItems: 1,
    maxItems: PHONES_MAX,
    description: 'Each number is called once, however often it stands here.',
  }),
  ...Run,
  pace: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: PACE_MAX,
      description: 'Calls a second, no more than the account may dial; 1 where absent.',
    }),
  ),
});
const ItemFilter = Type.Intersect([
  PageQuery,
  Type.Object({
    state: Type.Optional(Type.Enum(['waiting', 'ordering', 'ordered', 'refused', 'cancelled'])),
  }),
]);

/** @throws RestError 400 with the place of each that is none */
function phonesOf(given: Static<typeof New>['phones']): string[] {
  const wrong: Record<string, { message: string; value: unknown }> = {};
  const phones = given.map((phone, n) => {
    const digits = numberOf(String(phone));
    if (digits === undefined) wrong[`body.phones.${n}`] = { message: 'is no phone number', value: phone };
    return digits ?? '';
  });
  if (Object.keys(wrong).length > 0) throw badInput(Object.fromEntries(Object.entries(wrong).slice(0, 20)));
  return [...new Set(phones)];
}

/** @throws RestError 404 */
const mustHave = async (db: Kysely<Tables>, id: string, accountId: string) => {
  const mine = db.selectFrom('batch').select('id').where('id', '=', id).where('account_id', '=', accountId);
  if (!(await mine.executeTakeFirst())) throw notFound('batch');
};

const one = async (db: Kysely<Tables>, id: string, accountId: string) => {
  const row = await readBatches(db, accountId).where('batch.id', '=', id).executeTakeFirst();
  if (!row) throw notFound('batch');
  const items = await db
    .selectFrom('batch_item')
    .select('phone')
    .where('batch_id', '=', id)
    .orderBy('position')
    .execute();
  return { ...batchOf(row), phones: items.map(({ phone }) => phone) };
};

const found = { params: UuidPath, response: answers(Batch, { failures: [404] }) };

export const batches =
  (db: Database, engine: Engine): FastifyPluginAsyncTypebox =>
  async (http) => {
    createBatch(http, db, engine);
    listBatches(http, db);
    getBatch(http, db);
    cancelBatch(http, db);
    listBatchItems(http, db);
  };

function createBatch(http: Http, db: Database, engine: Engine): void {
  const make = {
    ...operation(
      'CreateBatch',
      'Calls',
      'Call many numbers',
      'Paced; goes on after a restart; each number is called once. The same Idempotency-Key is the same batch.',
    ),
    headers: KeyHeaders,
    body: New,
    response: answers(Batch, { status: 201, failures: [409, 503] }),
  };
  http.post('/batch', { schema: make, bodyLimit: BODY_MAX }, async ({ identity, body, headers }, reply) => {
    const { accountId, userId } = identity;
    const key = headers['idempotency-key'] ?? null;
    const wish = wishOf(body, '');
    const phones = phonesOf(body.phones);
    const wrong = wish.xml === '' ? undefined : await engine.check(wish.xml);
    if (wrong) throw badInput({ 'body.xml': { message: wrong } });
    const row = { account_id: accountId, person_id: userId, idempotency_key: key, request_hash: hashOf(body) };
    const id = await db.transaction().execute((tx) => makeBatch(tx, row, body, phones));
    reply.code(201);
    return ok(await one(db, id, accountId));
  });
}

type Whose = Pick<Insertable<Tables['batch']>, 'account_id' | 'person_id' | 'idempotency_key' | 'request_hash'>;

/** The batch with its numbers, or the one that was made under its key. @throws RestError 409 where the key is another request's */
async function makeBatch(
  tx: Kysely<Tables>,
  whose: Whose,
  body: Static<typeof New>,
  phones: string[],
): Promise<string> {
  const { account_id: accountId, idempotency_key: key } = whose;
  const { outbound_voice_profile: profileId, tn_lease: leaseId, sip_control_app: appId } = body;
  await callerOf(tx, accountId, { profileId, leaseId, appId }); // refuses what is wrong before anybody is called
  const pace = body.pace ?? Math.min(1, await mostOf(tx, accountId));
  const { xml, callFlowUrl, callFlowMethod } = wishOf(body, '');
  const made = await tx
    .insertInto('batch')
    .values({
      ...whose,
      id: randomUUID(),
      profile_id: profileId ?? null,
      lease_id: leaseId ?? null,
      app_id: appId ?? null,
      xml,
      call_flow_url: callFlowUrl,
      call_flow_method: callFlowMethod,
      pace: String(hundredths(pace)),
    })
    .onConflict((c) => c.columns(['account_id', 'idempotency_key']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!made) {
    const known = await tx
      .selectFrom('batch')
      .select(['id', 'request_hash'])
      .where('account_id', '=', accountId)
      .where('idempotency_key', '=', key!)
      .executeTakeFirstOrThrow();
    if (known.request_hash !== whose.request_hash) throw new RestError(409, ANOTHER_REQUEST);
    return known.id;
  }
  await mustBeSlowEnough(tx, accountId, pace);
  const rows = phones.map((phone, position) => ({ id: randomUUID(), batch_id: made.id, position, phone }));
  for (let n = 0; n < rows.length; n += 1000)
    await tx
      .insertInto('batch_item')
      .values(rows.slice(n, n + 1000))
      .execute();
  return made.id;
}

const hundredths = (pace: number) => Math.max(0.01, Math.floor(pace * 100) / 100);

/** So many calls a second an account may dial. */
async function mostOf(tx: Kysely<Tables>, accountId: string): Promise<number> {
  const { dials_per_minute_max } = await tx
    .selectFrom('account')
    .select('dials_per_minute_max')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  return hundredths(dials_per_minute_max / 60);
}

/** @throws RestError 400 for a pace above what the account may dial */
async function mustBeSlowEnough(tx: Kysely<Tables>, accountId: string, pace: number): Promise<void> {
  const most = await mostOf(tx, accountId);
  if (hundredths(pace) <= most) return;
  throw badInput({ 'body.pace': { message: `must be ${most} at most: so many calls a second this account may dial` } });
}

function listBatches(http: Http, db: Database): void {
  http.get(
    '/batch',
    {
      schema: {
        ...operation('ListBatches', 'Calls', 'List bulk calls'),
        querystring: PageQuery,
        response: answers(pageOf(Batch)),
      },
    },
    async ({ identity, query: { take = 10, skip = 0 } }) => {
      const [{ total }, rows] = await Promise.all([
        db
          .selectFrom('batch')
          .where('account_id', '=', identity.accountId)
          .select(db.fn.countAll<string>().as('total'))
          .executeTakeFirstOrThrow(),
        readBatches(db, identity.accountId)
          .orderBy('created_on', 'desc')
          .orderBy('id')
          .limit(take)
          .offset(skip)
          .execute(),
      ]);
      return ok({ take, skip, total: Number(total), data: rows.map(batchOf) });
    },
  );
}

function getBatch(http: Http, db: Database): void {
  http.get(
    '/batch/:uuid',
    { schema: { ...operation('GetBatch', 'Calls', 'Read a bulk call'), ...found } },
    async ({ identity, params }) => ok(await one(db, params.uuid, identity.accountId)),
  );
}

function cancelBatch(http: Http, db: Database): void {
  http.delete(
    '/batch/:uuid',
    {
      schema: {
        ...operation(
          'CancelBatch',
          'Calls',
          'Cancel a bulk call',
          'What was not called yet is not called; calls that live go on.',
        ),
        ...found,
      },
    },
    async ({ identity, params }) =>
      db.transaction().execute(async (tx) => {
        const { uuid } = params;
        await mustHave(tx, uuid, identity.accountId);
        const cancelled = { state: 'cancelled' as const, modified_on: new Date() };
        await tx
          .updateTable('batch')
          .set({ ...cancelled, next_on: sql`now()` }) // so that what is being ordered is settled at once
          .where('id', '=', uuid)
          .where('state', 'in', ['created', 'running'])
          .execute();
        await tx
          .updateTable('batch_item')
          .set(cancelled)
          .where('batch_id', '=', uuid)
          .where('state', '=', 'waiting')
          .execute();
        return ok(await one(tx, uuid, identity.accountId));
      }),
  );
}

function listBatchItems(http: Http, db: Database): void {
  const listed = { params: UuidPath, querystring: ItemFilter, response: answers(pageOf(Item), { failures: [404] }) };
  http.get(
    '/batch/:uuid/items',
    {
      schema: {
        ...operation('ListBatchItems', 'Calls', 'List numbers of a bulk call, each with its call'),
        ...listed,
      },
    },
    async ({ identity, params, query: { take = 10, skip = 0, state } }) => {
      await mustHave(db, params.uuid, identity.accountId);
      const mine = db
        .selectFrom('batch_item')
        .leftJoin('call_log', 'call_log.id', 'batch_item.call_id')
        .where('batch_item.batch_id', '=', params.uuid)
        .$if(state !== undefined, (q) => q.where('batch_item.state', '=', state!));
      const [{ total }, rows] = await Promise.all([
        mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        mine.orderBy('position').select(ITEM_COLUMNS).limit(take).offset(skip).execute(),
      ]);
      return ok({ take, skip, total: Number(total), data: rows.map(itemOf) });
    },
  );
}
