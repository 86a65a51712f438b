/**
 * On whose behalf a call is ordered: the profile it goes out by, the number it shows, the app it belongs to. It refuses
 * what is not the account's, and an order without a number to show.
 */
import type { App, Attribution } from '@opentact/proto';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/database.ts';
import { mustLease, mustOwn } from '../database/references.ts';
import { ACCOUNT_COLUMNS, accountOf, LEASE_COLUMNS, numberOf } from '../directory/attribution.ts';
import { appById } from '../directory/destinations.ts';
import { invalid, Refusal } from '../kernel/refusal.ts';

export type Named = { profileId?: string | undefined; leaseId?: string | undefined; appId?: string | undefined };
/** `number`: digits. `app` undefined: no app has anything to do with the call. */
export type Caller = {
  number: string;
  profileId: string | undefined;
  /** As the profile says; 0 where there is none. */
  recordCalls: number;
  app: App | undefined;
  attribution: Attribution;
};

/** @throws Refusal invalid, naming the field; conflict where the profile is not active */
export async function callerOf(db: Kysely<Tables>, accountId: string, named: Named): Promise<Caller> {
  await mustOwn(db, accountId, 'outbound_voice_profile', 'outbound_voice_profile', named.profileId);
  await mustOwn(db, accountId, 'app', 'sip_control_app', named.appId);
  await mustLease(db, accountId, 'tn_lease', named.leaseId);
  const ofOrder = await profileOf(db, named.profileId);
  const lease = await leaseOf(db, accountId, named.leaseId ?? ofOrder?.tn_lease_id);
  if (!lease)
    throw invalid({
      tn_lease: { message: 'name the leased number that the callee is shown, or a profile with one' },
    });
  const appId = named.appId ?? lease.app_id;
  const found = appId ? await appById(db, appId) : undefined;
  // What an app calls goes out by the app's profile, whoever orders it.
  const profileId = named.profileId ?? found?.profileId;
  const profile = ofOrder ?? (await profileOf(db, profileId));
  // What is heard is the order's: the app's own document needn't travel.
  return {
    number: lease.tn,
    profileId,
    recordCalls: profile?.record_calls ?? 0,
    app: found && { ...found.app, staticDocument: '' },
    attribution: { account: accountOf(lease), app: found?.attribution.app, number: numberOf(lease.tn, lease) },
  };
}

/** @throws Refusal conflict where it is not active */
async function profileOf(db: Kysely<Tables>, id: string | undefined) {
  if (id === undefined) return undefined;
  const profile = await db
    .selectFrom('outbound_voice_profile')
    .select(['is_active', 'tn_lease_id', 'record_calls'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (profile && !profile.is_active) throw new Refusal('conflict', 'the outbound voice profile is not active');
  return profile;
}

/** A number that the account has now. */
async function leaseOf(db: Kysely<Tables>, accountId: string, id: string | null | undefined) {
  if (!id) return undefined;
  return db
    .selectFrom('lease')
    .innerJoin('account', 'account.id', 'lease.account_id')
    .select(['lease.tn', 'lease.app_id', ...LEASE_COLUMNS, ...ACCOUNT_COLUMNS])
    .where('lease.id', '=', id)
    .where('lease.account_id', '=', accountId)
    .where('lease.released_on', 'is', null)
    .executeTakeFirst();
}
