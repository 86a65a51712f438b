/** SIP users, as those whose passwords can be reset by mail; several may share an address. */
import { sql } from 'kysely';
import type { Whose } from '../../accounts/rest/password-reset.ts';
import type { Database } from '../../database/database.ts';
import type { LookupSeal } from '../../database/sealing/seal.ts';
import { changeSipUser, SipPassword } from './sip-users.ts';

const SHARED_MAX = 10;

export const resettableSipUsers = (db: Database, seal: LookupSeal): Whose => ({
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
