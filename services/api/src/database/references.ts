/** One thing that names another: what is named must be the account's own, and isn't removed while it is named. */
import type { Kysely } from 'kysely';
import { invalid } from '../kernel/refusal.ts';
import type { Tables } from './database.ts';

/** By their tables. */
export const OWNED = {
  app: 'SIP control app',
  outbound_voice_profile: 'outbound voice profile',
  sip_connection: 'SIP connection',
  tn_profile: 'TN profile',
} as const;

/** Whether a thing is the account's. */
export const owns = async (db: Kysely<Tables>, accountId: string, table: keyof typeof OWNED, id: string) =>
  (await db
    .selectFrom(table)
    .select('id')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst()) !== undefined;

/** @throws Refusal invalid where `id` is given and is none of the account's */
export async function mustOwn(
  db: Kysely<Tables>,
  accountId: string,
  table: keyof typeof OWNED,
  field: string,
  id: string | null | undefined,
): Promise<void> {
  if (id && !(await owns(db, accountId, table, id)))
    throw invalid({ [field]: { message: `is no ${OWNED[table]} of this account`, value: id } });
}

/** @throws Refusal invalid where `id` is given and is no number that the account has now */
export async function mustLease(
  db: Kysely<Tables>,
  accountId: string,
  field: string,
  id: string | null | undefined,
): Promise<void> {
  if (!id) return;
  const found = await db
    .selectFrom('lease')
    .select('id')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('released_on', 'is', null)
    .executeTakeFirst();
  if (!found) throw invalid({ [field]: { message: 'is no leased number of this account', value: id } });
}

/** @throws Refusal invalid where there is no such product */
export async function mustBeProduct(db: Kysely<Tables>, id: number | undefined): Promise<void> {
  if (id === undefined) return;
  const found = await db.selectFrom('sip_product').select('id').where('id', '=', id).executeTakeFirst();
  if (!found) throw invalid({ product: { message: 'is no product: GET /sip/product lists them', value: id } });
}
