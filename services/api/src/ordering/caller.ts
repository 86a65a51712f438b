/**
 * On whose behalf a call is ordered: the profile it goes out by, the number it shows, the app it belongs to. It refuses
 * what is not the account's, and an order without a number to show.
 */
import type { App } from '@opentact/proto';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/database.ts';
import { badInput, RestError } from '../rest/errors.ts';
import { mustLease, mustOwn } from '../rest/references.ts';

export type Named = { profileId?: string | undefined; leaseId?: string | undefined; appId?: string | undefined };
/** `number`: digits. `app` undefined: no app has anything to do with the call. */
export type Caller = { number: string; profileId: string | undefined; app: App | undefined };

/** @throws RestError 400, naming the field; 409 where the profile is not active */
export async function callerOf(db: Kysely<Tables>, accountId: string, named: Named): Promise<Caller> {
  await mustOwn(db, accountId, 'outbound_voice_profile', 'outbound_voice_profile', named.profileId);
  await mustOwn(db, accountId, 'app', 'sip_control_app', named.appId);
  await mustLease(db, accountId, 'tn_lease', named.leaseId);
  const profile = named.profileId
    ? await db
        .selectFrom('outbound_voice_profile')
        .select(['is_active', 'tn_lease_id'])
        .where('id', '=', named.profileId)
        .executeTakeFirst()
    : undefined;
  if (profile && !profile.is_active) throw new RestError(409, 'the outbound voice profile is not active');
  const leaseId = named.leaseId ?? profile?.tn_lease_id;
  const lease = leaseId
    ? await db
        .selectFrom('lease')
        .select(['tn', 'app_id'])
        .where('id', '=', leaseId)
        .where('account_id', '=', accountId)
        .where('released_on', 'is', null)
        .executeTakeFirst()
    : undefined;
  if (!lease)
    throw badInput({
      'body.tn_lease': { message: 'name the leased number that the callee is shown, or a profile with one' },
    });
  const appId = named.appId ?? lease.app_id;
  return { number: lease.tn, profileId: named.profileId, app: appId ? await appOf(db, appId) : undefined };
}

async function appOf(db: Kysely<Tables>, id: string): Promise<App | undefined> {
  const row = await db
    .selectFrom('app')
    .innerJoin('account', 'account.id', 'app.account_id')
    .select(['app.id', 'app.name', 'app.max_call_length_ms', 'app.call_flow_timeout_ms', 'account.time_zone'])
    .where('app.id', '=', id)
    .executeTakeFirst();
  return (
    row && {
      appId: row.id,
      name: row.name,
      maxCallLengthMs: row.max_call_length_ms,
      callFlowTimeoutMs: row.call_flow_timeout_ms,
      timeZone: row.time_zone,
      autoAnswer: false,
      callFlowUrl: '',
      callFlowMethod: '',
      staticDocument: '',
    }
  );
}
