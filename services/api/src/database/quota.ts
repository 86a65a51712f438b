/** How many things an owner may have: as many as its list shows. */
import { sql, type Transaction } from 'kysely';
import { Refusal } from '../kernel/refusal.ts';
import type { Tables } from './database.ts';

/**
 * To be asked in the transaction that makes one more: whoever makes another of the same owner waits for its end.
 * @param owner what the rows of the table belong to, by its column: an account, or a domain
 * @throws Refusal conflict
 */
export async function mustHaveRoom(
  tx: Transaction<Tables>,
  table: keyof Tables,
  ownerId: string,
  max: number,
  owner: 'account' | 'domain' = 'account',
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${table} ${ownerId}`}, 0))`.execute(tx);
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from ${sql.table(table)} where ${sql.ref(`${owner}_id`)} = ${ownerId}`.execute(tx);
  if (rows[0]!.count >= max)
    throw new Refusal('conflict', `this ${owner} has ${max} of them, the most it may: remove one first`);
}
