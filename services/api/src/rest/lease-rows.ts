/** A leased number as its account sees it, where its calls go, and its release: what every route of leases shares. */
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Tables } from '../database/database.ts';
import { isUuid } from '../directory/uuid.ts';
import { Moment, Stamps, stamp, Uuid } from './envelope.ts';
import { notFound } from './errors.ts';

const Named = Type.Union([Type.Object({ uuid: Uuid, name: Type.String() }), Type.Null()]);
export const Lease = Type.Object({
  uuid: Uuid,
  tn: Type.Object({ tn: Type.Integer(), type: Type.String(), state: Type.String() }),
  features: Type.Array(Type.String()),
  autorenew: Type.Boolean(),
  expired_on: Moment,
  sip_control_app: Named,
  sip_connection: Named,
  tn_profile: Named,
  ...Stamps,
});
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

const named = (uuid: string | null, name: string | null) => (uuid ? { uuid, name: name ?? '' } : null);

export const leaseOf = (row: LeaseRow): Static<typeof Lease> => ({
  uuid: row.id,
  tn: { tn: Number(row.tn), type: row.kind, state: row.state },
  features: row.features,
  autorenew: row.autorenew,
  expired_on: stamp(row.expires_on),
  sip_control_app: named(row.app_id, row.app_name),
  sip_connection: named(row.connection_id, row.connection_name),
  tn_profile: named(row.tn_profile_id, row.tn_profile_name),
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

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

const NUMBER = /^\+?\d{8,15}$/;

/**
 * A lease by its uuid or its number.
 * @param lock whoever changes it waits for whoever does so now; in a transaction
 * @throws RestError 404
 */
export async function oneLease(db: Kysely<Tables>, name: string, accountId: string, lock?: 'lock'): Promise<LeaseRow> {
  const isNumber = NUMBER.test(name);
  if (!isNumber && !isUuid(name)) throw notFound('leased number');
  const row = await readLeases(db, accountId)
    .where(isNumber ? 'lease.tn' : 'lease.id', '=', name.replace('+', ''))
    .select(LEASE_COLUMNS)
    .$if(lock === 'lock', (q) => q.forUpdate(['lease']))
    .executeTakeFirst();
  if (!row) throw notFound('leased number');
  return row;
}
