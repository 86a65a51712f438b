/**
 * Who may what. Admin: of the account, everything in it. User and Provider: everything but other users. An Admin of the
 * account that runs the installation (level ServiceAccount) may besides what concerns all accounts; no route makes one.
 */
import type { Kysely } from 'kysely';
import type { Tables } from '../../database/database.ts';
import { RestError } from '../errors.ts';
import type { Identity } from './identity.ts';

/** @throws RestError 403 */
export function mustBeAdmin({ role }: Identity): void {
  if (role !== 'Admin') throw new RestError(403, 'only an Admin of the account may');
}

/** @throws RestError 403 */
export function mustBeOperator({ isOperator }: Identity): void {
  if (!isOperator) throw new RestError(403, 'only an Admin of the installation may');
}

/**
 * To be called in the transaction that takes an Admin away, after it: an account keeps one. The account's row is locked
 * first, by `holdAccount`, so that two who take each other away find out.
 * @throws RestError 409
 */
export async function mustKeepAdmin(tx: Kysely<Tables>, accountId: string): Promise<void> {
  const left = await tx
    .selectFrom('person')
    .select('id')
    .where('account_id', '=', accountId)
    .where('role', '=', 'Admin')
    .where('deleted_on', 'is', null)
    .executeTakeFirst();
  if (!left) throw new RestError(409, 'the account would have no Admin: make another user one first');
}

/** First in a transaction: nobody else moves money of the account, or takes its Admins away, until it ends. */
export const holdAccount = (tx: Kysely<Tables>, accountId: string) =>
  tx.selectFrom('account').select('id').where('id', '=', accountId).forNoKeyUpdate().executeTakeFirst();
