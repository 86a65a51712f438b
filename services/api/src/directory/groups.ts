/** Whom a group rings. A group of another account is as unknown as one that isn't there. */
import type { Database } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';
import { DirectoryError } from './error.ts';

const TARGETS_MAX = 10;

/** @returns `sip:…` or `tel:…`, in the group's order. @throws DirectoryError NOT_FOUND */
export async function targetsOf(db: Database, group: string, accountId: string): Promise<string[]> {
  const rows =
    isUuid(group) && isUuid(accountId)
      ? await db
          .selectFrom('ring_group')
          .leftJoin('ring_group_member', 'ring_group_member.group_id', 'ring_group.id')
          .select('ring_group_member.target')
          .where('ring_group.id', '=', group)
          .where('ring_group.account_id', '=', accountId)
          .orderBy('ring_group_member.position')
          .limit(TARGETS_MAX)
          .execute()
      : [];
  if (rows.length === 0) throw new DirectoryError('NOT_FOUND', 'the account has no such group');
  // A group without members is one row without a target.
  return rows.flatMap(({ target }) => (target === null ? [] : [target]));
}
