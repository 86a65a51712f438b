/** The users of an account: added, deactivated and reactivated by its Admin (reference 2.4, 2.19). */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { hashPassword } from '../../rest/auth/credentials.ts';
import { holdAccount, mustBeAdmin, mustKeepAdmin } from '../../rest/auth/roles.ts';
import { answers, ok, UuidPath } from '../../rest/envelope.ts';
import { notFound, RestError } from '../../rest/errors.ts';
import { WithoutEffect } from '../../rest/known.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { Email, emailIsTaken, isTaken, Password, Person, Role, readUser, User, userOf } from './user.ts';
import type { Verification } from './verification.ts';

const USERS_MAX = 1000;

/** @throws RestError 409 */
async function mustHaveRoom(db: Kysely<Tables>, accountId: string): Promise<void> {
  const { count } = await db
    .selectFrom('person')
    .select((w) => w.fn.countAll<string>().as('count'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= USERS_MAX) throw new RestError(409, `an account has ${USERS_MAX} users at most`);
}

const New = Type.Object({
  email: Email,
  password: Password,
  ...Person,
  role: Type.Optional(Role),
  account: WithoutEffect,
});

const all = async (db: Database, accountId: string) =>
  (
    await readUser(db)
      .where('person.account_id', '=', accountId)
      .orderBy('person.created_on')
      .orderBy('person.id')
      .limit(USERS_MAX)
      .execute()
  ).map(userOf);

/** @param deleted_on null: active again. */
async function setDeleted(db: Database, uuid: string, accountId: string, deleted_on: Date | null) {
  await db.transaction().execute(async (tx) => {
    await holdAccount(tx, accountId);
    const changed = await tx
      .updateTable('person')
      .set({ deleted_on, modified_on: new Date() })
      .where('id', '=', uuid)
      .where('account_id', '=', accountId)
      .executeTakeFirst();
    if (changed.numUpdatedRows === 0n) throw notFound('user');
    await mustKeepAdmin(tx, accountId);
  });
  return ok(await all(db, accountId));
}

const changed = { params: UuidPath, response: answers(Type.Array(User), { failures: [403, 404, 409] }) };

export const accountUsers =
  (db: Database, verification: Verification): FastifyPluginAsyncTypebox =>
  async (http) => {
    getUsersByAccount(http, db);
    addUserToAccount(http, db, verification);
    reactivateUserAccountByUUID(http, db);
    deactivateUserAccountByUUID(http, db);
  };

function getUsersByAccount(http: Http, db: Database): void {
  const listed = {
    ...operation('GetUsersByAccount', 'Users', 'List the users of the account', 'Deactivated ones too.'),
    response: answers(Type.Array(User)),
  };
  http.get('/account/user', { schema: listed }, async ({ identity }) => ok(await all(db, identity.accountId)));
}

function addUserToAccount(http: Http, db: Database, verification: Verification): void {
  const added = {
    ...operation(
      'AddUserToAccount',
      'Users',
      'Add a user to the account',
      'For its Admin. The role is User unless said. Beyond loopback the user is let in once the e-mail is verified.',
    ),
    body: New,
    response: answers(User, { status: 201, failures: [403, 409, 503] }),
  };
  http.post('/account/user', { schema: added }, async ({ identity, body }, reply) => {
    mustBeAdmin(identity);
    const { email, password, role = 'User', ...person } = body;
    const id = randomUUID();
    const address = email.toLowerCase();
    // Before a hash is worth its while; and once more where it counts.
    await mustHaveRoom(db, identity.accountId);
    if (await isTaken(db, address)) throw emailIsTaken();
    const password_hash = await hashPassword(password, `account ${identity.accountId}`);
    const verified_on = verification.required ? null : new Date();
    const mail = await db.transaction().execute(async (tx) => {
      await holdAccount(tx, identity.accountId);
      await mustHaveRoom(tx, identity.accountId);
      const made = await tx
        .insertInto('person')
        .values({ ...person, id, email: address, account_id: identity.accountId, role, password_hash, verified_on })
        .onConflict((c) => c.column('email').doNothing())
        .executeTakeFirst();
      if (made.numInsertedOrUpdatedRows === 0n) throw emailIsTaken();
      return verification.required ? verification.begin(tx, id, address, { account: identity.accountId }) : undefined;
    });
    mail?.();
    reply.code(201);
    return ok(userOf(await readUser(db).where('person.id', '=', id).executeTakeFirstOrThrow()));
  });
}

function reactivateUserAccountByUUID(http: Http, db: Database): void {
  const on = operation('ReactivateUserAccountByUUID', 'Users', 'Let a deactivated user in again');
  http.put('/account/user/:uuid', { schema: { ...on, ...changed } }, async ({ identity, params }) => {
    mustBeAdmin(identity);
    return setDeleted(db, params.uuid, identity.accountId, null);
  });
}

function deactivateUserAccountByUUID(http: Http, db: Database): void {
  const off = operation(
    'DeactivateUserAccountByUUID',
    'Users',
    'Deactivate a user',
    'None of their credentials serves until they are reactivated; the last Admin stays.',
  );
  http.delete('/account/user/:uuid', { schema: { ...off, ...changed } }, async ({ identity, params }) => {
    mustBeAdmin(identity);
    return setDeleted(db, params.uuid, identity.accountId, new Date());
  });
}
