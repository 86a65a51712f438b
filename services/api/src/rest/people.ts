/** Users and accounts: sign-up, log-in, one's own account (reference 2.2, 2.4). */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { move } from '../money/move.ts';
import type { Attempts } from './attempts.ts';
import { hashPassword, signJwt } from './credentials.ts';
import { answers, Nothing, ok, stamp, UuidPath } from './envelope.ts';
import { notFound, RestError } from './errors.ts';
import { operation, PUBLIC } from './operation.ts';
import { holdAccount, mustBeAdmin, mustKeepAdmin } from './roles.ts';
import { sourceOf } from './source.ts';
import { Account, Email, Password, Person, Role, readUser, text, User, userOf } from './user.ts';

const SignUp = Type.Object({
  email: Email,
  password: Password,
  ...Person,
  account: Type.Optional(Type.Object({ name: text(), email: Type.Optional(Email) })),
});
const UserChange = Type.Object({
  email: Type.Optional(Email),
  password: Type.Optional(Password),
  ...Person,
  role: Type.Optional(Role),
});

/** `signUpCredit`: what a new account may spend at once. */
export type PeopleNeeds = { db: Database; jwtKey: Uint8Array; attempts: Attempts; signUpCredit: number };

/** Sign-up: the one route without credentials. */
export const signUp =
  ({ db, attempts, signUpCredit }: PeopleNeeds): FastifyPluginAsyncTypebox =>
  async (http) => {
    const schema = {
      ...operation('CreateUser', 'Authentication', 'Sign up', 'Makes an account and its first user.'),
      ...PUBLIC,
      body: SignUp,
      response: answers(User, { status: 201, failures: [409] }),
    };
    http.post('/user', { schema }, async ({ body, ip }, reply) => {
      attempts.begin(`sign-up ${sourceOf(ip)}`); // so many accounts a minute from one address, and no more
      const { email, password, account, ...person } = body;
      const accountId = randomUUID();
      const id = randomUUID();
      const password_hash = await hashPassword(password);
      const name = account?.name ?? email;
      await db.transaction().execute(async (tx) => {
        await tx
          .insertInto('account')
          .values({ id: accountId, name, email: account?.email ?? email, calls_max: 100, dials_per_minute_max: 60 })
          .execute();
        const added = await tx
          .insertInto('person')
          .values({ ...person, id, email: email.toLowerCase(), account_id: accountId, role: 'Admin', password_hash })
          .onConflict((c) => c.column('email').doNothing())
          .executeTakeFirst();
        if (added.numInsertedOrUpdatedRows === 0n) throw new RestError(409, 'there is a user with this email');
        const first = {
          amount: signUpCredit,
          reason: 'payment',
          ref: 'sign-up',
          description: 'credit to try it',
        } as const;
        await move(tx, { accountId, ...first });
      });
      reply.code(201);
      return ok(userOf(await readUser(db).where('person.id', '=', id).executeTakeFirstOrThrow()));
    });
  };

export const people =
  ({ db, jwtKey }: PeopleNeeds): FastifyPluginAsyncTypebox =>
  async (http) => {
    const me = (userId: string) => readUser(db).where('person.id', '=', userId).executeTakeFirstOrThrow();
    const one = async (uuid: string, accountId: string) => {
      const row = await readUser(db)
        .where('person.id', '=', uuid)
        .where('person.account_id', '=', accountId)
        .where('person.deleted_on', 'is', null)
        .executeTakeFirst();
      if (!row) throw notFound('user');
      return row;
    };

    http.get(
      '/auth',
      {
        schema: {
          ...operation('Auth', 'Authentication', 'Log in', 'The user with a JWT (`token`) that lives a day.'),
          response: answers(User),
        },
      },
      async ({ identity }) => {
        const row = await me(identity.userId);
        return ok({
          ...userOf(row),
          token: await signJwt({ uuid: row.id, role: row.role, passwords: row.password_count }, jwtKey),
        });
      },
    );
    http.get(
      '/user',
      { schema: { ...operation('GetCurrentUser', 'Users', 'Read oneself'), response: answers(User) } },
      async ({ identity }) => ok(userOf(await me(identity.userId))),
    );
    http.get(
      '/user/:uuid',
      {
        schema: {
          ...operation('GetUserByUUID', 'Users', 'Read a user'),
          params: UuidPath,
          response: answers(User, { failures: [404] }),
        },
      },
      async ({ identity, params }) => ok(userOf(await one(params.uuid, identity.accountId))),
    );
    http.patch(
      '/user/:uuid',
      {
        schema: {
          ...operation('UpdateUserByUUID', 'Users', 'Change a user', 'Oneself; as Admin any user of the account.'),
          params: UuidPath,
          body: UserChange,
          response: answers(User, { failures: [403, 404, 409] }),
        },
      },
      async ({ identity, params, body }) => {
        const row = await one(params.uuid, identity.accountId);
        if (row.id !== identity.userId || (body.role && body.role !== row.role)) mustBeAdmin(identity);
        const { password, email, ...person } = body;
        const password_hash = password && (await hashPassword(password));
        await db
          .transaction()
          .execute(async (tx) => {
            await holdAccount(tx, identity.accountId);
            await tx
              .updateTable('person')
              .set({
                ...person,
                ...(email && { email: email.toLowerCase() }),
                ...(password_hash && { password_hash, password_count: sql`password_count + 1` }),
                modified_on: new Date(),
              })
              .where('id', '=', row.id)
              .execute();
            // A mail from before must not undo it.
            if (password || email) await tx.deleteFrom('password_reset').where('person_id', '=', row.id).execute();
            await mustKeepAdmin(tx, identity.accountId);
          })
          .catch(emailTaken);
        return ok(userOf(await one(params.uuid, identity.accountId)));
      },
    );
    const removed = {
      ...operation(
        'DeleteUserByUUID',
        'Users',
        'Remove a user',
        'Oneself; as Admin any user of the account. For good.',
      ),
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
    http.get(
      '/account',
      { schema: { ...operation('GetAccount', 'Account', 'Read the account'), response: answers(Account) } },
      async ({ identity }) => ok(userOf(await me(identity.userId)).account),
    );
    const account = {
      ...operation('GetAccountByUUID', 'Account', 'Read an account', 'One’s own; as Admin of the installation any.'),
      params: UuidPath,
      response: answers(Account, { failures: [404] }),
    };
    http.get('/account/:uuid', { schema: account }, async ({ identity, params }) => {
      const row =
        identity.isOperator || params.uuid === identity.accountId
          ? await db.selectFrom('account').selectAll().where('id', '=', params.uuid).executeTakeFirst()
          : undefined;
      if (!row) throw notFound('account');
      return ok({
        uuid: row.id,
        name: row.name,
        email: row.email,
        level: row.level,
        balance: Number(row.balance),
        time_zone: row.time_zone,
        created_on: stamp(row.created_on),
        modified_on: stamp(row.modified_on),
        deleted_on: row.deleted_on && stamp(row.deleted_on),
      });
    });
  };

const UNIQUE_VIOLATION = '23505';
function emailTaken(error: { code?: string }): never {
  if (error.code === UNIQUE_VIOLATION) throw new RestError(409, 'there is a user with this email');
  throw error;
}
