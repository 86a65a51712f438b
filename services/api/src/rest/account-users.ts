/** The users of an account: added, deactivated and reactivated by its Admin (reference 2.4, 2.19). */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { hashPassword } from './credentials.ts';
import { answers, ok, UuidPath } from './envelope.ts';
import { notFound, RestError } from './errors.ts';
import { operation } from './operation.ts';
import { holdAccount, mustBeAdmin, mustKeepAdmin } from './roles.ts';
import { Email, Password, Person, Role, readUser, User, userOf } from './user.ts';

const USERS_MAX = 1000;

const New = Type.Object({ email: Email, password: Password, ...Person, role: Type.Optional(Role) });

export const accountUsers =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const all = async (accountId: string) =>
      (
        await readUser(db)
          .where('person.account_id', '=', accountId)
          .orderBy('person.created_on')
          .orderBy('person.id')
          .limit(USERS_MAX)
          .execute()
      ).map(userOf);

    const listed = {
      ...operation('GetUsersByAccount', 'Users', 'List the users of the account', 'Deactivated ones too.'),
      response: answers(Type.Array(User)),
    };
    http.get('/account/user', { schema: listed }, async ({ identity }) => ok(await all(identity.accountId)));

    const added = {
      ...operation(
        'AddUserToAccount',
        'Users',
        'Add a user to the account',
        'For its Admin. The role is User unless said.',
      ),
      body: New,
      response: answers(User, { status: 201, failures: [403, 409] }),
    };
    http.post('/account/user', { schema: added }, async ({ identity, body }, reply) => {
      mustBeAdmin(identity);
      const { email, password, role = 'User', ...person } = body;
      const id = randomUUID();
      const password_hash = await hashPassword(password);
      await db.transaction().execute(async (tx) => {
        await holdAccount(tx, identity.accountId);
        const { count } = await tx
          .selectFrom('person')
          .select((w) => w.fn.countAll<string>().as('count'))
          .where('account_id', '=', identity.accountId)
          .executeTakeFirstOrThrow();
        if (Number(count) >= USERS_MAX) throw new RestError(409, `an account has ${USERS_MAX} users at most`);
        const made = await tx
          .insertInto('person')
          .values({ ...person, id, email: email.toLowerCase(), account_id: identity.accountId, role, password_hash })
          .onConflict((c) => c.column('email').doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows === 0n) throw new RestError(409, 'there is a user with this email');
      });
      reply.code(201);
      return ok(userOf(await readUser(db).where('person.id', '=', id).executeTakeFirstOrThrow()));
    });

    /** @param deleted_on null: active again. */
    async function set(uuid: string, accountId: string, deleted_on: Date | null) {
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
      return ok(await all(accountId));
    }
    const changed = { params: UuidPath, response: answers(Type.Array(User), { failures: [403, 404, 409] }) };
    const on = operation('ReactivateUserAccountByUUID', 'Users', 'Let a deactivated user in again');
    http.put('/account/user/:uuid', { schema: { ...on, ...changed } }, async ({ identity, params }) => {
      mustBeAdmin(identity);
      return set(params.uuid, identity.accountId, null);
    });
    const off = operation(
      'DeactivateUserAccountByUUID',
      'Users',
      'Deactivate a user',
      'None of their credentials serves until they are reactivated; the last Admin stays.',
    );
    http.delete('/account/user/:uuid', { schema: { ...off, ...changed } }, async ({ identity, params }) => {
      mustBeAdmin(identity);
      return set(params.uuid, identity.accountId, new Date());
    });
  };
