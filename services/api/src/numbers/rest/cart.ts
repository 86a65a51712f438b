/** A user's cart: entries of any shape that a front end keeps for a while (reference 2.6, A.2). Nobody reads them but that user. */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { answers, Nothing, ok, Uuid, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound, RestError } from '../../rest/errors.ts';
import { type Http, operation } from '../../rest/operation.ts';

const ENTRIES_MAX = 200;
const PAYLOAD_LENGTH_MAX = 16 * 1024;
const TTL_DEFAULT_S = 86_400;
const TTL_MAX_S = 30 * 86_400;

const Payload = Type.Record(Type.String(), Type.Unknown());
const Entry = Type.Object({ uuid: Uuid, payload: Payload }, { title: 'CartEntry' });
const New = Type.Object({
  payload: Payload,
  ttl: Type.Optional(Type.Integer({ minimum: 1, maximum: TTL_MAX_S, description: 'Seconds; a day unless said.' })),
});

type Row = { id: string; payload: unknown };
const entryOf = ({ id, payload }: Row) => ({ uuid: id, payload: payload as Record<string, unknown> });

function kept({ payload, ttl = TTL_DEFAULT_S }: Static<typeof New>) {
  const text = JSON.stringify(payload);
  if (text.length > PAYLOAD_LENGTH_MAX)
    throw badInput({ 'body.payload': { message: `is longer than ${PAYLOAD_LENGTH_MAX} characters` } });
  return { payload: text, expires_on: new Date(Date.now() + ttl * 1000) };
}

const found = { params: UuidPath, response: answers(Entry, { failures: [404] }) };

const shown = (row: Row | undefined) => {
  if (!row) throw notFound('entry of the cart');
  return ok(entryOf(row));
};

export const cart =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    getCartEntries(http, db);
    createUserCartEntry(http, db);
    clearUserCart(http, db);
    updateUserCartEntry(http, db);
    deleteUserCartEntry(http, db);
  };

function getCartEntries(http: Http, db: Database): void {
  const listed = {
    ...operation('GetCartEntries', 'Users', 'List one’s cart'),
    response: answers(Type.Array(Entry)),
  };
  http.get('/user/cart', { schema: listed }, async ({ identity }) => {
    const rows = await db
      .selectFrom('cart_entry')
      .select(['id', 'payload'])
      .where('person_id', '=', identity.userId)
      .where('expires_on', '>', sql<Date>`now()`)
      .orderBy('created_on')
      .orderBy('id')
      .limit(ENTRIES_MAX)
      .execute();
    return ok(rows.map(entryOf));
  });
}

function createUserCartEntry(http: Http, db: Database): void {
  const made = {
    ...operation('CreateUserCartEntry', 'Users', 'Put something into one’s cart'),
    body: New,
    response: answers(Entry, { status: 201, failures: [409] }),
  };
  http.post('/user/cart', { schema: made }, async ({ identity, body }, reply) => {
    const entry = { ...kept(body), id: randomUUID(), person_id: identity.userId };
    const row = await db.transaction().execute(async (tx) => {
      await tx.selectFrom('person').select('id').where('id', '=', identity.userId).forUpdate().execute();
      await tx
        .deleteFrom('cart_entry')
        .where('person_id', '=', identity.userId)
        .where('expires_on', '<=', sql<Date>`now()`)
        .execute();
      const { count } = await tx
        .selectFrom('cart_entry')
        .select((w) => w.fn.countAll<string>().as('count'))
        .where('person_id', '=', identity.userId)
        .executeTakeFirstOrThrow();
      if (Number(count) >= ENTRIES_MAX) throw new RestError(409, `a cart has ${ENTRIES_MAX} entries at most`);
      return tx.insertInto('cart_entry').values(entry).returning(['id', 'payload']).executeTakeFirstOrThrow();
    });
    reply.code(201);
    return ok(entryOf(row));
  });
}

function clearUserCart(http: Http, db: Database): void {
  const cleared = { ...operation('ClearUserCart', 'Users', 'Empty one’s cart'), response: answers(Nothing) };
  http.delete('/user/cart', { schema: cleared }, async ({ identity }) => {
    await db.deleteFrom('cart_entry').where('person_id', '=', identity.userId).execute();
    return ok({});
  });
}

function updateUserCartEntry(http: Http, db: Database): void {
  const changed = {
    ...operation('UpdateUserCartEntry', 'Users', 'Change what is in one’s cart'),
    ...found,
    body: New,
  };
  http.patch('/user/cart/:uuid', { schema: changed }, async ({ identity, params, body }) =>
    shown(
      await db
        .updateTable('cart_entry')
        .set(kept(body))
        .where('id', '=', params.uuid)
        .where('person_id', '=', identity.userId)
        .where('expires_on', '>', sql<Date>`now()`)
        .returning(['id', 'payload'])
        .executeTakeFirst(),
    ),
  );
}

function deleteUserCartEntry(http: Http, db: Database): void {
  const gone = operation('DeleteUserCartEntry', 'Users', 'Take something out of one’s cart');
  http.delete('/user/cart/:uuid', { schema: { ...gone, ...found } }, async ({ identity, params }) =>
    shown(
      await db
        .deleteFrom('cart_entry')
        .where('id', '=', params.uuid)
        .where('person_id', '=', identity.userId)
        .returning(['id', 'payload'])
        .executeTakeFirst(),
    ),
  );
}
