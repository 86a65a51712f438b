/** Users of the API, as those whose passwords can be reset by mail. */
import { sql } from 'kysely';
import type { Database } from '../../database/database.ts';
import { hashPassword } from '../../rest/auth/credentials.ts';
import type { Whose } from './password-reset.ts';
import { Password } from './user.ts';

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
      .where('verified_on', 'is not', null)
      .execute();
    return rows.map((row) => ({ ...row, name: row.email }));
  },
  async prepare(password, share) {
    const password_hash = await hashPassword(password, share);
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
