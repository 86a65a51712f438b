/** Those whose passwords can be reset by mail: users of the API, and SIP users, of whom several may share an address. */
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { hashPassword } from './credentials.ts';
import type { Whose } from './password-reset.ts';
import type { Seal } from './sealed.ts';
import { changeSipUser, SipPassword } from './sip-users.ts';
import { Password } from './user.ts';

const SHARED_MAX = 10;

export const resettableUsers = (db: Database): Whose => ({
  path: '/user/password_reset',
  operations: {
    ask: 'RequestUserPasswordResetEmail',
    change: 'ChangeUserPasswordViaResetToken',
    tag: 'Authentication',
    ends: 'Every log-in token of the user made before ends; API keys stay.',
  },
  column: 'person_id',
  password: Password,
  async find(email) {
    const rows = await db
      .selectFrom('person')
      .select(['id', 'email'])
      .where('email', '=', email)
      .where('deleted_on', 'is', null)
      .execute();
    return rows.map((row) => ({ ...row, name: row.email }));
  },
  async prepare(password) {
    const password_hash = await hashPassword(password);
    return async (tx, id) => {
      await tx
        .updateTable('person')
        .set({ password_hash, password_count: sql`password_count + 1`, modified_on: new Date() })
        .where('id', '=', id)
        .where('deleted_on', 'is', null)
        .execute();
    };
  },
});

export const resettableSipUsers = (db: Database, seal: Seal): Whose => ({
  path: '/app/password_reset',
  operations: {
    ask: 'RequestSIPUserPasswordResetEmailApp',
    change: 'ChangeSIPUserPasswordViaResetTokenApp',
    tag: 'End users',
    ends: 'The HA1B of the password before ends.',
  },
  column: 'sip_user_id',
  password: SipPassword,
  async find(email) {
    const rows = await db
      .selectFrom('sip_user as user')
      .innerJoin('sip_domain as domain', 'domain.id', 'user.domain_id')
      .innerJoin('account', 'account.id', 'domain.account_id')
      .select(['user.id', 'user.login', 'domain.domain'])
      .where(sql<boolean>`lower("user".email) = ${email}`)
      .where('user.is_active', '=', true)
      .where('account.deleted_on', 'is', null)
      .orderBy('user.id')
      .limit(SHARED_MAX)
      .execute();
    return rows.map(({ id, login, domain }) => ({ id, email, name: `${login}@${domain}` }));
  },
  prepare: async (password) => async (tx, id) => {
    const domain = await tx
      .selectFrom('sip_domain as domain')
      .innerJoin('sip_user as user', 'user.domain_id', 'domain.id')
      .select(['domain.id', 'domain.domain'])
      .where('user.id', '=', id)
      .executeTakeFirstOrThrow();
    await changeSipUser(tx, seal, domain, id, { password });
  },
});
