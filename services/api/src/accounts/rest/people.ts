/** Users: log-in, oneself, those of one's account (reference 2.2, 2.4). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { Type } from 'typebox';
import { isUniqueViolation } from '../../database/constraints.ts';
import type { Database } from '../../database/database.ts';
import { hashPassword, signJwt } from '../../rest/auth/credentials.ts';
import { holdAccount, mustBeAdmin, mustKeepAdmin } from '../../rest/auth/roles.ts';
import { answers, Nothing, ok, UuidPath } from '../../rest/envelope.ts';
import { notFound } from '../../rest/errors.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { Email, emailIsTaken, isTaken, Password, Person, Role, readUser, User, userOf } from './user.ts';
import type { Verification } from './verification.ts';

const UserChange = Type.Object({
  email: Type.Optional(Email),
  password: Type.Optional(Password),
  ...Person,
  role: Type.Optional(Role),
});

export type PeopleNeeds = { db: Database; jwtKey: Uint8Array; verification: Verification };

const me = (db: Database, userId: string) => readUser(db).where('person.id', '=', userId).executeTakeFirstOrThrow();

const one = async (db: Database, uuid: string, accountId: string) => {
  const row = await readUser(db)
    .where('person.id', '=', uuid)
    .where('person.account_id', '=', accountId)
    .where('person.deleted_on', 'is', null)
    .executeTakeFirst();
  if (!row) throw notFound('user');
  return row;
};

export const people =
  ({ db, jwtKey, verification }: PeopleNeeds): FastifyPluginAsyncTypebox =>
  async (http) => {
    auth(http, db, jwtKey);
    getCurrentUser(http, db);
    getUserByUUID(http, db);
    updateUserByUUID(http, db, verification);
    deleteUserByUUID(http, db);
  };

function auth(http: Http, db: Database, jwtKey: PeopleNeeds['jwtKey']): void {
  http.get(
    '/auth',
    {
      schema: {
        ...operation('Auth', 'Authentication', 'Log in', 'The user with a JWT (`token`) that lives a day.'),
        response: answers(User),
      },
    },
    async ({ identity }) => {
      const row = await me(db, identity.userId);
      return ok({
        ...userOf(row),
        token: await signJwt({ uuid: row.id, role: row.role, passwords: row.password_count }, jwtKey),
      });
    },
  );
}

function getCurrentUser(http: Http, db: Database): void {
  http.get(
    '/user',
    { schema: { ...operation('GetCurrentUser', 'Users', 'Read oneself'), response: answers(User) } },
    async ({ identity }) => ok(userOf(await me(db, identity.userId))),
  );
}

function getUserByUUID(http: Http, db: Database): void {
  http.get(
    '/user/:uuid',
    {
      schema: {
        ...operation('GetUserByUUID', 'Users', 'Read a user'),
        params: UuidPath,
        response: answers(User, { failures: [404] }),
      },
    },
    async ({ identity, params }) => ok(userOf(await one(db, params.uuid, identity.accountId))),
  );
}

function updateUserByUUID(http: Http, db: Database, verification: PeopleNeeds['verification']): void {
  http.patch(
    '/user/:uuid',
    {
      schema: {
        ...operation(
          'UpdateUserByUUID',
          'Users',
          'Change a user',
          'Oneself; as Admin any user of the account. Beyond loopback another e-mail counts once it is verified.',
        ),
        params: UuidPath,
        body: UserChange,
        response: answers(User, { failures: [403, 404, 409, 503] }),
      },
    },
    async ({ identity, params, body }) => {
      const row = await one(db, params.uuid, identity.accountId);
      if (row.id !== identity.userId || (body.role && body.role !== row.role)) mustBeAdmin(identity);
      const { password, email, ...person } = body;
      const address = email?.toLowerCase();
      const isOther = address !== undefined && address !== row.email;
      const waits = verification.required && isOther;
      // Before a hash is worth its while. Where it is verified first, nobody learns who has an address.
      if (isOther && !waits && (await isTaken(db, address))) throw emailIsTaken();
      const password_hash = password && (await hashPassword(password, `account ${identity.accountId}`));
      const mail = await db
        .transaction()
        .execute(async (tx) => {
          await holdAccount(tx, identity.accountId);
          const letter = waits
            ? await verification.begin(tx, row.id, address, { account: identity.accountId })
            : undefined;
          await tx
            .updateTable('person')
            .set({
              ...person,
              ...(address && !waits && { email: address }),
              ...(password_hash && { password_hash, password_count: sql`password_count + 1` }),
              modified_on: new Date(),
            })
            .where('id', '=', row.id)
            .execute();
          // A mail from before must not undo it.
          if (password || email) await tx.deleteFrom('password_reset').where('person_id', '=', row.id).execute();
          await mustKeepAdmin(tx, identity.accountId);
          return letter;
        })
        .catch(emailTaken);
      mail?.();
      return ok(userOf(await one(db, params.uuid, identity.accountId)));
    },
  );
}

function deleteUserByUUID(http: Http, db: Database): void {
  const removed = {
    ...operation('DeleteUserByUUID', 'Users', 'Remove a user', 'Oneself; as Admin any user of the account. For good.'),
    params: UuidPath,
    response: answers(Nothing, { failures: [403, 404, 409] }),
  };
  http.delete('/user/:uuid', { schema: removed }, async ({ identity, params }) => {
    await db.transaction().execute(async (tx) => {
      await holdAccount(tx, identity.accountId);
      const gone = await tx
        .deleteFrom('person')
        .where('id', '=', params.uuid)
        .where('account_id', '=', identity.accountId)
        .executeTakeFirst();
      if (gone.numDeletedRows === 0n) throw notFound('user');
      if (params.uuid !== identity.userId) mustBeAdmin(identity);
      await mustKeepAdmin(tx, identity.accountId);
    });
    return ok({});
  });
}

function emailTaken(error: unknown): never {
  if (isUniqueViolation(error)) throw emailIsTaken();
  throw error;
}
