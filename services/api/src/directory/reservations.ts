/**
 * By which profile a leg goes out: the one of the call's other legs, else the one of the app that runs the call. It
 * grants nothing to an account that isn't there.
 */
import type { DirectoryV1 } from '@opentact/proto';
import type { Kysely } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { digitsOf } from '../kernel/digits.ts';
import { isUuid } from '../kernel/uuid.ts';
import { callOf, reserve } from '../money/reserve.ts';
import { callerByTrunk } from './caller-id.ts';
import { DirectoryError } from './error.ts';
import { trunkOf } from './trunks.ts';

const refused = (refusal: string) => ({ refusal, callerNumber: '', shown: undefined });

/** @throws DirectoryError INVALID_ARGUMENT where the leg, the account or the number can be none */
export async function reserveLeg(db: Database, of: DirectoryV1.ReserveRequest): Promise<DirectoryV1.ReserveResponse> {
  const { leg, accountId } = of;
  const called = digitsOf(of.called);
  if (!isUuid(leg) || !isUuid(accountId) || !called)
    throw new DirectoryError('INVALID_ARGUMENT', 'no leg, or no number');
  return db.transaction().execute(async (tx) => {
    // Edges remember for a while which trunk an account had.
    const trunk = await trunkOf(tx, accountId);
    if (!trunk) return refused('no-trunk');
    const profileId = await profileOfLeg(tx, of);
    const profileNumber = await numberOfProfile(tx, accountId, profileId);
    const caller =
      of.caller === undefined
        ? undefined
        : await callerByTrunk(tx, {
            ...{ accountId, wanted: of.caller, original: of.originalCaller, profileNumber },
            passesOriginal: trunk.passes_original_caller,
          });
    if (caller && 'refusal' in caller) return refused(caller.refusal);
    const answer = await reserve(tx, { leg, accountId, profileId, called });
    if (!answer.granted) return refused(answer.reason);
    return { refusal: '', callerNumber: profileNumber, shown: caller?.shown };
  });
}

/** Of the call's other legs, else of the app or the domain that runs the call; undefined: none. */
async function profileOfLeg(tx: Kysely<Tables>, of: DirectoryV1.ReserveRequest): Promise<string | undefined> {
  const { leg, accountId } = of;
  const beside = await tx
    .selectFrom('outbound_leg')
    .select('profile_id')
    .where('call_id', '=', callOf(leg))
    .where('account_id', '=', accountId)
    .orderBy('reserved_on')
    .executeTakeFirst();
  if (beside) return beside.profile_id ?? undefined;
  const running = of.appId === '' ? await appOf(tx, leg) : of.appId;
  if (!isUuid(running)) return undefined;
  const app = await tx
    .selectFrom('app')
    .select('outbound_voice_profile_id')
    .where('id', '=', running)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  if (app) return app.outbound_voice_profile_id ?? undefined;
  // A domain's calls go out under the name of its profile.
  const profile = tx.selectFrom('outbound_voice_profile').select('id').where('id', '=', running);
  return (await profile.where('account_id', '=', accountId).executeTakeFirst())?.id;
}

/** As the journal told so far. */
async function appOf(tx: Kysely<Tables>, leg: string): Promise<string> {
  const call = await tx
    .selectFrom('billed_call')
    .select('app_id')
    .where('call_id', '=', callOf(leg))
    .executeTakeFirst();
  return call?.app_id ?? '';
}

/** Digits; empty: it has none. */
async function numberOfProfile(tx: Kysely<Tables>, accountId: string, id: string | undefined): Promise<string> {
  if (id === undefined) return '';
  const profile = await tx
    .selectFrom('outbound_voice_profile as profile')
    .innerJoin('lease', 'lease.id', 'profile.tn_lease_id')
    .select('lease.tn')
    .where('profile.id', '=', id)
    .where('profile.account_id', '=', accountId)
    .where('lease.account_id', '=', accountId)
    .where('lease.released_on', 'is', null)
    .executeTakeFirst();
  return profile?.tn ?? '';
}
