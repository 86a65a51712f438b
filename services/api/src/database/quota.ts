/** How many things an owner may have: as many as its list shows. */
import { sql, type Transaction } from 'kysely';
import { Refusal } from '../kernel/refusal.ts';
import type { Tables } from './database.ts';

const OWNER = {
  app: 'account',
  sip_connection: 'account',
  sip_domain: 'account',
  tn_profile: 'account',
  outbound_voice_profile: 'account',
  sip_switch: 'domain',
  sip_user: 'domain',
  sip_invite: 'domain',
} as const;

/**
 * To be asked in the transaction that makes one more: whoever makes another of the same owner waits for its end.
 * @param ownerId of the account or the domain that the table's rows belong to
 * @throws Refusal conflict
 */
export async function mustHaveRoom(
  tx: Transaction<Tables>,
  table: keyof typeof OWNER,
  ownerId: string,
  max: number,
): Promise<void> {
  const owner = OWNER[table];
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${table} ${ownerId}`}, 0))`.execute(tx);
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from ${sql.table(table)} where ${sql.ref(`${owner}_id`)} = ${ownerId}`.execute(tx);
  if (rows[0]!.count >= max)
    throw new Refusal('conflict', `this ${owner} has ${max} of them, the most it may: remove one first`);
}
