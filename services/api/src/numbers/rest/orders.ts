/** Orders of numbers: priced, paid and leased in one transaction; what can't be had is told item by item (section 2.6). */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Kysely, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import { isUniqueViolation } from '../../database/constraints.ts';
import type { Database, Tables } from '../../database/database.ts';
import { move } from '../../money/move.ts';
import { holdAccount } from '../../rest/auth/roles.ts';
import { answers, ok, optionalBody, PageQuery, pageOf, stamp, UuidPath } from '../../rest/envelope.ts';
import { notFound, RestError } from '../../rest/errors.ts';
import { ANOTHER_REQUEST, KeyHeaders } from '../../rest/idempotency.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { dated, echoOf, joined, orderOf as orderedBy, pagesOf, searchBody, searchPage } from '../../rest/search.ts';
import type { NumberCarrier, Offer } from '../carrier.ts';
import { MONTH_MS } from '../lease-months.ts';
import { type Item, itemOf, New, Order, Price, type Refusal } from './order-object.ts';

const ORDER = {
  created_on: 'number_order.created_on',
  modified_on: 'number_order.modified_on',
  state: 'number_order.state',
};
const State = Type.Unsafe<string>({ type: 'string', enum: ['created', 'verify', 'processing', 'success', 'failed'] });
const Body = searchBody({ state: Type.Optional(State) }, ORDER);
/** To four decimals, as a balance has them. */
const sumOf = (amounts: number[]) => Math.round(amounts.reduce((sum, amount) => sum + amount, 0) * 10_000) / 10_000;

/** Which items can be had now, and why the others can't. */
async function offered(
  carrier: NumberCarrier,
  db: Kysely<Tables>,
  items: Item[],
): Promise<{ offers: Map<number, Offer>; errors: Refusal[] }> {
  const rows = await carrier.offers(db, [...new Set(items.map(({ tn }) => String(tn)))]);
  const byNumber = new Map(rows.map((row) => [Number(row.tn), row]));
  const offers = new Map<number, Offer>();
  const errors: Refusal[] = [];
  for (const { tn, features } of items) {
    const row = byNumber.get(tn);
    const lacking = row && features.filter((feature) => !row.features.includes(feature));
    if (!row) errors.push({ tn, reason: 'not-found', description: 'there is no such number' });
    else if (row.isTaken) errors.push({ tn, reason: 'leased', description: 'the number is leased' });
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

const page = async (
  db: Database,
  accountId: string,
  where: ReturnType<typeof joined>,
  by: ReturnType<typeof orderedBy>,
  of: PageQuery,
) => {
  const { take = 10, skip = 0 } = of;
  const mine = db.selectFrom('number_order').where('account_id', '=', accountId).where(where);
  const [{ total }, rows] = await Promise.all([
    mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
    mine.selectAll().orderBy(by).orderBy('id').limit(take).offset(skip).execute(),
  ]);
  return { take, skip, total: Number(total), data: rows.map(orderOf) };
};

export const orders =
  (db: Database, carrier: NumberCarrier): FastifyPluginAsyncTypebox =>
  async (http) => {
    getOrderPrice(http, db, carrier);
    createOrder(http, db, carrier);
    getOrderByUUID(http, db);
    listOrders(http, db);
    searchOrders(http, db);
  };

function getOrderPrice(http: Http, db: Database, carrier: NumberCarrier): void {
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
      const { offers, errors } = await offered(carrier, db, body.items.map(itemOf));
      const items = [...offers].map(([tn, { nrc, mrc }]) => ({ tn, nrc: Number(nrc), mrc: Number(mrc) }));
      const sum = (of: 'nrc' | 'mrc') => sumOf(items.map((item) => item[of]));
      return ok({ nrc: sum('nrc'), mrc: sum('mrc'), items, errors });
    },
  );
}

function createOrder(http: Http, db: Database, carrier: NumberCarrier): void {
  const made = {
    headers: KeyHeaders,
    body: New,
    response: answers(Order, { status: 201, failures: [402, 404, 409] }),
  };
  const says =
    'Charged and leased at once, item by item; what can’t be had stands in errors. An order of which nothing can be had is refused (404, 409) and kept as failed. The same Idempotency-Key is the same order.';
  for (const [path, name, summary] of [
    ['/order', 'CreateOrder', 'Order numbers'],
    ['/order/tn', 'CreateTNOrder', 'Order numbers (older path)'],
  ] as const)
    http.post(
      path,
      { schema: { ...operation(name, 'Numbers', summary, says), ...made } },
      async ({ identity, body, headers }, reply) => {
        const { accountId, userId } = identity;
        const key = headers['idempotency-key'] ?? null;
        const id = randomUUID();
        reply.code(201);
        const ordered = db.transaction().execute(async (tx) => {
          await holdAccount(tx, accountId);
          const before = key && (await read(tx, accountId).where('idempotency_key', '=', key).executeTakeFirst());
          if (before && !isDeepStrictEqual(before.request, JSON.parse(JSON.stringify(body))))
            throw new RestError(409, ANOTHER_REQUEST);
          if (before) return before;
          // In the same order in every order: two that want the same numbers must not wait for each other.
          const wanted = body.items.map(itemOf).sort((a, b) => a.tn - b.tn);
          const { offers, errors } = await offered(carrier, tx, wanted);
          const price = sumOf([...offers.values()].flatMap(({ nrc, mrc }) => [Number(nrc), Number(mrc)]));
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
          for (const item of wanted) {
            const offer = offers.get(item.tn);
            if (!offer) continue;
            offers.delete(item.tn); // once, however often it is named
            await lease(tx, item, offer, { accountId, orderId: id });
          }
          return read(tx, accountId).where('id', '=', id).executeTakeFirstOrThrow();
        });
        const row = await ordered.catch(takenMeanwhile);
        if (row.state === 'failed') throw failed(body.items.map(itemOf), row);
        return ok(orderOf(row));
      },
    );
}

function getOrderByUUID(http: Http, db: Database): void {
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
}

function listOrders(http: Http, db: Database): void {
  const all = { ...operation('ListOrders', 'Numbers', 'List orders'), querystring: PageQuery };
  http.get('/order', { schema: { ...all, response: answers(pageOf(Order)) } }, async ({ identity, query }) =>
    ok(await page(db, identity.accountId, joined('AND', []), orderedBy({}, ORDER, ORDER.created_on), query)),
  );
}

function searchOrders(http: Http, db: Database): void {
  const searched = {
    ...operation('SearchOrders', 'Numbers', 'Search orders'),
    querystring: PageQuery,
    body: optionalBody(Body),
    response: answers(searchPage(Order)),
  };
  http.post('/order/search', { schema: searched }, async ({ identity, query, body: given }) => {
    const body = given ?? {};
    const where = joined(body.mode, [
      body.state === undefined ? undefined : sql<boolean>`number_order.state = ${body.state}`,
      ...dated(body, 'number_order'),
    ]);
    const by = orderedBy(body, ORDER, ORDER.created_on);
    return ok({ ...(await page(db, identity.accountId, where, by, pagesOf(query, body))), ...echoOf(body) });
  });
}

/** Nothing of the order could be had: 404 where there are no such numbers, else 409; each item with its reason. */
function failed(items: Array<{ tn: number }>, row: Row): RestError {
  const errors = row.errors as Refusal[];
  const status = errors.every(({ reason }) => reason === 'not-found') ? 404 : 409;
  const placeOf = (tn: number) => `body.items.${items.findIndex((item) => item.tn === tn)}.tn`;
  const fields = errors.map(({ tn, description }) => [placeOf(tn), { message: description, value: tn }]);
  return new RestError(status, `order ${row.id} failed: ${errors[0]?.description}`, Object.fromEntries(fields));
}

/** Two orders at once for one number, or under one key: the later one is asked to look again. */
function takenMeanwhile(error: unknown): never {
  if (!isUniqueViolation(error)) throw error;
  throw new RestError(409, 'another order was faster; search again');
}

/** The number is the account's for a month, and paid. A number that another took meanwhile undoes the whole order. */
async function lease(
  tx: Kysely<Tables>,
  { tn, features, autorenew }: Item,
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
