/** Postal addresses of an account; each remembers the user who wrote it (reference 2.4, A.2). Stored only. */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { holdAccount } from '../../rest/auth/roles.ts';
import { answers, ok, Stamps, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { notFound, RestError } from '../../rest/errors.ts';
import { storedOnly } from '../../rest/known.ts';
import { type Http, operation } from '../../rest/operation.ts';

const ADDRESSES_MAX = 200;

const UNSENT = 'nothing is billed or sent by post';
const text = (max: number) => Type.String({ minLength: 1, maxLength: max });
const Fields = {
  name: text(255),
  is_physical: Type.Boolean(storedOnly(UNSENT)),
  is_billing: Type.Boolean(storedOnly(UNSENT)),
  is_shipping: Type.Boolean(storedOnly(UNSENT)),
  address1: text(255),
  zip_code: text(32),
  city: text(128),
  country: Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166, two letters.' }),
};
const address2 = Type.Optional(Type.Union([text(255), Type.Null()]));
const New = Type.Object({ ...Fields, address2 });
const Change = Type.Object({ ...Type.Partial(Type.Object(Fields)).properties, address2 });
const Address = Type.Object(
  {
    uuid: Uuid,
    ...Fields,
    address2: Type.Union([Type.String(), Type.Null()]),
    country: Type.Object({ a2: Type.String() }),
    user: Type.Union([Type.Object({ uuid: Uuid }), Type.Null()]),
    ...Stamps,
  },
  { title: 'Address' },
);

const read = (db: Database, accountId: string) =>
  db.selectFrom('address').selectAll().where('account_id', '=', accountId);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirst']>>>;

const addressOf = ({
  id,
  account_id: _,
  person_id,
  country,
  created_on,
  modified_on,
  ...same
}: Row): Static<typeof Address> => ({
  uuid: id,
  ...same,
  country: { a2: country },
  user: person_id === null ? null : { uuid: person_id },
  created_on: stamp(created_on),
  modified_on: stamp(modified_on),
});

const listed = { response: answers(Type.Array(Address)) };

const list = async (db: Database, accountId: string, userId?: string) =>
  ok(
    (
      await read(db, accountId)
        .$if(userId !== undefined, (q) => q.where('person_id', '=', userId!))
        .orderBy('created_on')
        .orderBy('id')
        .limit(ADDRESSES_MAX)
        .execute()
    ).map(addressOf),
  );

const found = { params: UuidPath, response: answers(Address, { failures: [404] }) };

const shown = (row: Row | undefined) => {
  if (!row) throw notFound('address');
  return ok(addressOf(row));
};

export const addresses =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    createAddress(http, db);
    getAddressListByAccount(http, db);
    getAddressListByUser(http, db);
    getAddress(http, db);
    updateAddress(http, db);
    removeAddressByUUID(http, db);
  };

function createAddress(http: Http, db: Database): void {
  const made = {
    ...operation('CreateAddress', 'Addresses', 'Add an address'),
    body: New,
    response: answers(Address, { status: 201, failures: [409] }),
  };
  http.post('/address', { schema: made }, async ({ identity, body }, reply) => {
    const row = await db.transaction().execute(async (tx) => {
      await holdAccount(tx, identity.accountId);
      const { count } = await tx
        .selectFrom('address')
        .select((w) => w.fn.countAll<string>().as('count'))
        .where('account_id', '=', identity.accountId)
        .executeTakeFirstOrThrow();
      if (Number(count) >= ADDRESSES_MAX) throw new RestError(409, `an account has ${ADDRESSES_MAX} addresses at most`);
      const whose = { id: randomUUID(), account_id: identity.accountId, person_id: identity.userId };
      return tx
        .insertInto('address')
        .values({ ...body, address2: body.address2 ?? null, ...whose })
        .returningAll()
        .executeTakeFirstOrThrow();
    });
    reply.code(201);
    return ok(addressOf(row));
  });
}

function getAddressListByAccount(http: Http, db: Database): void {
  const ofAccount = operation('GetAddressListByAccount', 'Addresses', 'List the addresses of the account');
  http.get('/address/account', { schema: { ...ofAccount, ...listed } }, ({ identity }) => list(db, identity.accountId));
}

function getAddressListByUser(http: Http, db: Database): void {
  const ofUser = operation('GetAddressListByUser', 'Addresses', 'List the addresses that one wrote oneself');
  http.get('/address/user', { schema: { ...ofUser, ...listed } }, ({ identity }) =>
    list(db, identity.accountId, identity.userId),
  );
}

function getAddress(http: Http, db: Database): void {
  const one = operation('GetAddress', 'Addresses', 'Read an address');
  http.get('/address/:uuid', { schema: { ...one, ...found } }, async ({ identity, params }) =>
    shown(await read(db, identity.accountId).where('id', '=', params.uuid).executeTakeFirst()),
  );
}

function updateAddress(http: Http, db: Database): void {
  const changed = { ...operation('UpdateAddress', 'Addresses', 'Change an address'), ...found, body: Change };
  http.patch('/address/:uuid', { schema: changed }, async ({ identity, params, body }) =>
    shown(
      await db
        .updateTable('address')
        .set({ ...body, modified_on: new Date() })
        .where('id', '=', params.uuid)
        .where('account_id', '=', identity.accountId)
        .returningAll()
        .executeTakeFirst(),
    ),
  );
}

function removeAddressByUUID(http: Http, db: Database): void {
  const gone = operation('RemoveAddressByUUID', 'Addresses', 'Remove an address');
  http.delete('/address/:uuid', { schema: { ...gone, ...found } }, async ({ identity, params }) =>
    shown(
      await db
        .deleteFrom('address')
        .where('id', '=', params.uuid)
        .where('account_id', '=', identity.accountId)
        .returningAll()
        .executeTakeFirst(),
    ),
  );
}
