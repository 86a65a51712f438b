/** Orders of numbers: priced, paid and leased in one transaction; what can't be had is told item by item (section 2.6). */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../database/database.ts';
import { move } from '../money/move.ts';
import { answers, ok, PageQuery, pageOf, Stamps, stamp, Uuid, UuidPath } from './envelope.ts';
import { notFound, RestError } from './errors.ts';
import { Feature } from './numbers.ts';
import { operation } from './operation.ts';

const ITEMS_MAX = 100;
const MONTH_MS = 30 * 86_400_000;

const Item = Type.Object({
  tn: Type.Integer({ minimum: 10_000_000, maximum: 999_999_999_999_999 }),
  features: Type.Optional(Type.Array(Feature, { maxItems: 5 })),
  autorenew: Type.Optional(Type.Boolean()),
});
const New = Type.Object({ items: Type.Array(Item, { minItems: 1, maxItems: ITEMS_MAX }) });
const Refusal = Type.Object({ tn: Type.Integer(), reason: Type.String(), description: Type.String() });
const Order = Type.Object({
  uuid: Uuid,
  state: Type.String(),
  total: Type.Integer(),
  success: Type.Integer(),
  processing: Type.Integer(),
  failed: Type.Integer(),
  price: Type.Number(),
  errors: Type.Array(Refusal),
  ...Stamps,
});
const Price = Type.Object({
  nrc: Type.Number(),
  mrc: Type.Number(),
  items: Type.Array(Type.Object({ tn: Type.Integer(), nrc: Type.Number(), mrc: Type.Number() })),
  errors: Type.Array(Refusal),
});

type Item = Static<typeof Item>;
type Refusal = Static<typeof Refusal>;
type Offer = { tn: string; features: string[]; nrc: string; mrc: string };

/** Which items can be had now, and why the others can't. */
async function offered(db: Kysely<Tables>, items: Item[]): Promise<{ offers: Map<number, Offer>; errors: Refusal[] }> {
  const rows = await db
    .selectFrom('inventory')
    .leftJoin('lease', (join) => join.onRef('lease.tn', '=', 'inventory.tn').on('lease.released_on', 'is', null))
    .where(
      'inventory.tn',
      'in',
      items.map(({ tn }) => String(tn)),
    )
    .select(['inventory.tn', 'inventory.features', 'inventory.nrc', 'inventory.mrc', 'lease.id as leased'])
    .execute();
  const byNumber = new Map(rows.map((row) => [Number(row.tn), row]));
  const offers = new Map<number, Offer>();
  const errors: Refusal[] = [];
  for (const { tn, features = ['voice'] } of items) {
    const row = byNumber.get(tn);
    const lacking = row && features.filter((feature) => !row.features.includes(feature));
    if (!row) errors.push({ tn, reason: 'not-found', description: 'there is no such number' });
    else if (row.leased) errors.push({ tn, reason: 'leased', description: 'the number is leased' });
    else if (offers.has(tn)) errors.push({ tn, reason: 'twice', description: 'the order has it twice' });
    else if (lacking!.length > 0)
      errors.push({ tn, reason: 'feature', description: `the number has no ${lacking!.join(', ')}` });
    else offers.set(tn, row);
  }
  return { offers, errors };
}

const read = (db: Kysely<Tables>, accountId: string) =>
  db.selectFrom('number_order').selectAll().where('account_id', '=', accountId);
type Row = Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirstOrThrow']>>;

const orderOf = (row: Row): Static<typeof Order> => {
  const errors = row.errors as Refusal[];
  return {
    uuid: row.id,
    state: row.state,
    total: row.success + errors.length,
    success: row.success,
    processing: 0,
    failed: errors.length,
    price: Number(row.price),
    errors,
    created_on: stamp(row.created_on),
    modified_on: stamp(row.modified_on),
  };
};

export const orders =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    http.post(
      '/order/price',
      {
        schema: {
          ...operation('GetOrderPrice', 'Numbers', 'Price an order', 'Orders nothing.'),
          body: New,
          response: answers(Price),
        },
      },
      async ({ body }) => {
        const { offers, errors } = await offered(db, body.items);
        const items = [...offers].map(([tn, { nrc, mrc }]) => ({ tn, nrc: Number(nrc), mrc: Number(mrc) }));
        const sum = (of: 'nrc' | 'mrc') => items.reduce((total, item) => total + item[of], 0);
        return ok({ nrc: sum('nrc'), mrc: sum('mrc'), items, errors });
      },
    );

    const Headers = Type.Object({ 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 128 })) });
    const made = {
      ...operation(
        'CreateOrder',
        'Numbers',
        'Order numbers',
        'Charged and leased at once, item by item; the same Idempotency-Key is the same order.',
      ),
      headers: Headers,
      body: New,
      response: answers(Order, { status: 201, failures: [402, 409] }),
    };
    http.post('/order', { schema: made }, async ({ identity, body, headers }, reply) => {
      const { accountId, userId } = identity;
      const key = headers['idempotency-key'] ?? null;
      const id = randomUUID();
      reply.code(201);
      const ordered = db.transaction().execute(async (tx) => {
        const before = key && (await read(tx, accountId).where('idempotency_key', '=', key).executeTakeFirst());
        if (before) return before;
        const { offers, errors } = await offered(tx, body.items);
        const price = [...offers.values()].reduce((sum, { nrc, mrc }) => sum + Number(nrc) + Number(mrc), 0);
        await tx
          .insertInto('number_order')
          .values({
            id,
            account_id: accountId,
            person_id: userId,
            state: offers.size > 0 ? 'success' : 'failed',
            idempotency_key: key,
            request: JSON.stringify(body),
            errors: JSON.stringify(errors),
            success: offers.size,
            price: String(price),
          })
          .execute();
        for (const item of body.items) {
          const offer = offers.get(item.tn);
          if (!offer) continue;
          offers.delete(item.tn); // once, however often it is named
          await lease(tx, item, offer, { accountId, orderId: id });
        }
        return read(tx, accountId).where('id', '=', id).executeTakeFirstOrThrow();
      });
      return ok(orderOf(await ordered.catch(takenMeanwhile)));
    });

    const found = {
      ...operation('GetOrderByUUID', 'Numbers', 'Read an order'),
      params: UuidPath,
      response: answers(Order, { failures: [404] }),
    };
    http.get('/order/:uuid', { schema: found }, async ({ identity, params }) => {
      const row = await read(db, identity.accountId).where('id', '=', params.uuid).executeTakeFirst();
      if (!row) throw notFound('order');
      return ok(orderOf(row));
    });

    const searched = {
      ...operation('SearchOrders', 'Numbers', 'Search orders'),
      querystring: PageQuery,
      response: answers(pageOf(Order)),
    };
    http.post('/order/search', { schema: searched }, async ({ identity, query }) => {
      const { take = 10, skip = 0 } = query;
      const mine = db.selectFrom('number_order').where('account_id', '=', identity.accountId);
      const [{ total }, rows] = await Promise.all([
        mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        mine.selectAll().orderBy('created_on', 'desc').orderBy('id').limit(take).offset(skip).execute(),
      ]);
      return ok({ take, skip, total: Number(total), data: rows.map(orderOf) });
    });
  };

const UNIQUE_VIOLATION = '23505';

/** Two orders at once for one number, or under one key: the later one is asked to look again. */
function takenMeanwhile(error: unknown): never {
  if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
  throw new RestError(409, 'another order was faster; search again');
}

/** The number is the account's for a month, and paid. A number that another took meanwhile undoes the whole order. */
async function lease(
  tx: Kysely<Tables>,
  { tn, features = ['voice'], autorenew = true }: Item,
  { nrc, mrc }: Offer,
  { accountId, orderId }: { accountId: string; orderId: string },
): Promise<void> {
  const id = randomUUID();
  await tx
    .insertInto('lease')
    .values({
      id,
      tn: String(tn),
      account_id: accountId,
      order_id: orderId,
      app_id: null,
      features,
      autorenew,
      expires_on: new Date(Date.now() + MONTH_MS),
      released_on: null,
    })
    .execute();
  const about = { accountId, ref: id };
  await move(tx, { ...about, amount: -Number(nrc), reason: 'tnlease_nrc', description: `${tn}, once` });
  await move(tx, { ...about, amount: -Number(mrc), reason: 'tnlease_mrc', description: `${tn}, first month` });
}
