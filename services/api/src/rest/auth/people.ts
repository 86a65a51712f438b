/** Users who may be let in, and who they are. */
import type { Database } from '../../database/database.ts';
import type { Identity } from './identity.ts';

/** Those that are there, whose e-mail was shown to be theirs. */
export const people = (db: Database) =>
  db
    .selectFrom('person')
    .innerJoin('account', 'account.id', 'person.account_id')
    .where('person.deleted_on', 'is', null)
    .where('account.deleted_on', 'is', null)
    .where('person.verified_on', 'is not', null)
    .select(['person.id', 'person.account_id', 'person.role', 'person.password_hash', 'person.password_count'])
    .select('account.level');

type Found = { id: string; account_id: string; role: string; level: string };

export const identityOf = ({ id, account_id, role, level }: Found): Identity => ({
  userId: id,
  accountId: account_id,
  role: role as Identity['role'],
  isOperator: role === 'Admin' && level === 'ServiceAccount',
});
