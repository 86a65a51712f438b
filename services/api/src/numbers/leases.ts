/** Leased numbers: read, pointed at what takes their calls, given back. */
import type { Kysely } from 'kysely';
import type { Tables } from '../database/database.ts';
import { Refusal } from '../kernel/refusal.ts';
import { isUuid } from '../kernel/uuid.ts';

export const readLeases = (db: Kysely<Tables>, accountId: string) =>
  db
    .selectFrom('lease')
    .innerJoin('inventory', 'inventory.tn', 'lease.tn')
    .leftJoin('app', 'app.id', 'lease.app_id')
    .leftJoin('sip_connection', 'sip_connection.id', 'lease.connection_id')
    .leftJoin('tn_profile', 'tn_profile.id', 'lease.tn_profile_id')
    .where('lease.account_id', '=', accountId)
    .where('lease.released_on', 'is', null);
export const LEASE_COLUMNS = [
  'lease.id',
  'lease.tn',
  'lease.features',
  'lease.autorenew',
  'lease.expires_on',
  'lease.app_id',
  'lease.created_on',
  'lease.modified_on',
  'inventory.kind',
  'inventory.state',
  'app.name as app_name',
  'lease.connection_id',
  'sip_connection.name as connection_name',
  'lease.tn_profile_id',
  'tn_profile.name as tn_profile_name',
] as const;
export type LeaseRow = {
  id: string;
  tn: string;
  features: string[];
  autorenew: boolean;
  expires_on: Date;
  app_id: string | null;
  app_name: string | null;
  connection_id: string | null;
  connection_name: string | null;
  tn_profile_id: string | null;
  tn_profile_name: string | null;
  created_on: Date;
  modified_on: Date;
  kind: string;
  state: string;
};

/** An app or a connection, by its uuid; neither: nowhere. */
export type Goal = { app_id: string | null; connection_id: string | null };
export const NOWHERE: Goal = { app_id: null, connection_id: null };

/** Where calls of the number go from now on. */
export async function point(
  tx: Kysely<Tables>,
  lease: { id: string; tn: string },
  accountId: string,
  goal: Goal,
): Promise<void> {
  const { app_id, connection_id } = goal;
  const going = { account_id: accountId, app_id, connection_id };
  await tx
    .updateTable('lease')
    .set({ app_id, connection_id, modified_on: new Date() })
    .where('id', '=', lease.id)
    .execute();
  if (!app_id && !connection_id) await tx.deleteFrom('number').where('number', '=', lease.tn).execute();
  else
    await tx
      .insertInto('number')
      .values({ number: lease.tn, ...going })
      .onConflict((c) => c.column('number').doUpdateSet(going))
      .execute();
}

/** Gives a number back: it takes no call from now on, nothing of the account names it, and another may lease it. */
export async function release(tx: Kysely<Tables>, lease: { id: string; tn: string }): Promise<void> {
  await tx.deleteFrom('number').where('number', '=', lease.tn).execute();
  await tx
    .updateTable('outbound_voice_profile')
    .set({ tn_lease_id: null })
    .where('tn_lease_id', '=', lease.id)
    .execute();
  await tx.updateTable('sip_user').set({ tn_lease_id: null }).where('tn_lease_id', '=', lease.id).execute();
  await tx
    .updateTable('lease')
    .set({ ...NOWHERE, tn_profile_id: null, released_on: new Date(), modified_on: new Date() })
    .where('id', '=', lease.id)
    .execute();
}

const noLease = () => new Refusal('not-found', 'no such leased number');

const NUMBER = /^\+?\d{8,15}$/;

/**
 * A lease by its uuid or its number.
 * @param lock whoever changes it waits for whoever does so now; in a transaction
 * @throws Refusal not-found
 */
export async function oneLease(db: Kysely<Tables>, name: string, accountId: string, lock?: 'lock'): Promise<LeaseRow> {
  const isNumber = NUMBER.test(name);
  if (!isNumber && !isUuid(name)) throw noLease();
  const row = await readLeases(db, accountId)
    .where(isNumber ? 'lease.tn' : 'lease.id', '=', name.replace('+', ''))
    .select(LEASE_COLUMNS)
    .$if(lock === 'lock', (q) => q.forUpdate(['lease']))
    .executeTakeFirst();
  if (!row) throw noLease();
  return row;
}
