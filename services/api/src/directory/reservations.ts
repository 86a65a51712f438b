/**
 * By which profile a leg goes out: the one of the call's other legs, else the one of the app that runs the call. It
 * grants nothing to an account that isn't there.
 */
import type { DirectoryV1 } from '@opentact/proto';
import type { Database } from '../database/database.ts';
import { callOf, reserve } from '../money/reserve.ts';
import { DirectoryError } from './error.ts';
import { digitsOf } from './numbers.ts';
import { isUuid } from './uuid.ts';

/** @throws DirectoryError INVALID_ARGUMENT where the leg, the account or the number can be none */
export async function reserveLeg(db: Database, of: DirectoryV1.ReserveRequest): Promise<DirectoryV1.ReserveResponse> {
  const { leg, accountId } = of;
  const called = digitsOf(of.called);
  if (!isUuid(leg) || !isUuid(accountId) || !called)
    throw new DirectoryError('INVALID_ARGUMENT', 'no leg, or no number');
  return db.transaction().execute(async (tx) => {
    const beside = await tx
      .selectFrom('outbound_leg')
      .select('profile_id')
      .where('call_id', '=', callOf(leg))
      .where('account_id', '=', accountId)
      .orderBy('reserved_on')
      .executeTakeFirst();
    const running = of.appId === '' && !beside ? await appOf(leg) : of.appId;
    const app =
      beside || !isUuid(running)
        ? undefined
        : await tx
            .selectFrom('app')
            .select('outbound_voice_profile_id')
            .where('id', '=', running)
            .where('account_id', '=', accountId)
            .executeTakeFirst();
    // A domain's calls go out under the name of its profile.
    const named = app || !isUuid(running) ? undefined : await profileOf(running);
    const profileId = (beside ? beside.profile_id : (app?.outbound_voice_profile_id ?? named)) ?? undefined;
    const answer = await reserve(tx, { leg, accountId, profileId, called });
    return answer.granted
      ? { refusal: '', callerNumber: answer.callerNumber }
      : { refusal: answer.reason, callerNumber: '' };

    async function profileOf(id: string): Promise<string | undefined> {
      const profile = tx.selectFrom('outbound_voice_profile').select('id').where('id', '=', id);
      return (await profile.where('account_id', '=', accountId).executeTakeFirst())?.id;
    }
    /** As the journal told so far. */
    async function appOf(of: string): Promise<string> {
      const call = await tx
        .selectFrom('billed_call')
        .select('app_id')
        .where('call_id', '=', callOf(of))
        .executeTakeFirst();
      return call?.app_id ?? '';
    }
  });
}
