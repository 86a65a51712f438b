/** The account itself: read, and what its Admin may change of it: name, clock, phone, address (reference 1.1, 2.4). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { timeZoneOf } from '../../directory/time-zone.ts';
import { mustBeAdmin } from '../../rest/auth/roles.ts';
import { answers, ok, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound } from '../../rest/errors.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { Account, accountOf, text } from './user.ts';

const Said = (max: number) => Type.Optional(Type.Union([text(max), Type.Null()]));
const Change = Type.Object({
  name: Type.Optional(text()),
  time_zone: Type.Optional(
    Type.String({
      maxLength: 64,
      pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$',
      description: 'Europe/Berlin: a name of GET /dict/tz. The account’s day and the <Schedule> of its flows go by it.',
    }),
  ),
  phone: Said(32),
  address1: Said(255),
  address2: Said(255),
  zip_code: Said(32),
  city: Said(128),
});

const one = async (db: Database, uuid: string) => {
  const row = await db.selectFrom('account').selectAll().where('id', '=', uuid).executeTakeFirst();
  if (!row) throw notFound('account');
  return accountOf(row);
};

export const account =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    getAccount(http, db);
    modifyAccount(http, db);
    getAccountByUUID(http, db);
  };

function getAccount(http: Http, db: Database): void {
  http.get(
    '/account',
    { schema: { ...operation('GetAccount', 'Account', 'Read the account'), response: answers(Account) } },
    async ({ identity }) => ok(await one(db, identity.accountId)),
  );
}

function modifyAccount(http: Http, db: Database): void {
  const changed = {
    ...operation('ModifyAccount', 'Account', 'Change the account', 'For its Admin. What is left out stays.'),
    body: Change,
    response: answers(Account, { failures: [403] }),
  };
  http.patch('/account', { schema: changed }, async ({ identity, body }) => {
    mustBeAdmin(identity);
    if (body.time_zone !== undefined) await mustBeZone(db, body.time_zone);
    await db
      .updateTable('account')
      .set({ ...body, modified_on: new Date() })
      .where('id', '=', identity.accountId)
      .execute();
    return ok(await one(db, identity.accountId));
  });
}

/** Every reader of an account's clock must know its zone. @throws RestError 400 */
async function mustBeZone(db: Database, name: string): Promise<void> {
  const { rows } = await sql<{ known: boolean }>`
    select exists (select from pg_timezone_names where name = ${name}) as known`.execute(db);
  if (rows[0]!.known && timeZoneOf(name) !== '') return;
  throw badInput({ 'body.time_zone': { message: 'is no time zone: GET /dict/tz lists them', value: name } });
}

function getAccountByUUID(http: Http, db: Database): void {
  const found = {
    ...operation('GetAccountByUUID', 'Account', 'Read an account', 'One’s own; as Admin of the installation any.'),
    params: UuidPath,
    response: answers(Account, { failures: [404] }),
  };
  http.get('/account/:uuid', { schema: found }, async ({ identity, params }) => {
    if (!identity.isOperator && params.uuid !== identity.accountId) throw notFound('account');
    return ok(await one(db, params.uuid));
  });
}
