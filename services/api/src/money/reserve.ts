/**
 * Whether a leg may go out through a trunk: it takes a channel and keeps its first minute back, or says why not. The
 * account's row is locked meanwhile, so that however many ask at once no limit is passed.
 */
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { priceOf, rateOf } from './price.ts';

export type Refused = 'channel-limit' | 'spend-limit' | 'rate' | 'balance' | 'inactive';

/** `callerNumber`: what the callee is shown, digits; empty: the profile names none. */
export type Reservation = { granted: true; callerNumber: string } | { granted: false; reason: Refused };

export type Asked = {
  /** UUID of the leg: the call's, with the leg's number in the low 16 bits. Asked again it is granted again. */
  leg: string;
  accountId: string;
  /** Outbound voice profile of that account; undefined: none, only the balance limits. */
  profileId: string | undefined;
  /** Digits. */
  called: string;
};

/** @param tx a transaction; the leg is counted from its commit until it ended, or for 15 minutes without an answer */
export async function reserve(tx: Kysely<Tables>, { leg, accountId, profileId, called }: Asked): Promise<Reservation> {
  const account = await tx
    .selectFrom('account')
    .select('balance')
    .where('id', '=', accountId)
    .where('deleted_on', 'is', null)
    .forUpdate()
    .executeTakeFirst();
  if (!account) return no('inactive');
  const before = await tx.selectFrom('outbound_leg').select('leg').where('leg', '=', leg).executeTakeFirst();
  if (before) return { granted: true, callerNumber: '' };
  const rate = await rateOf(tx, 'out', called);
  if (!rate) return no('rate');
  const hold = priceOf(rate, 60_000);
  const { bears } = await tx
    .selectFrom('outbound_leg')
    .select(sql<boolean>`${account.balance}::numeric - coalesce(sum(${OPEN_COST}), 0) >= ${hold}::numeric`.as('bears'))
    .where('account_id', '=', accountId)
    .where('ended_on', 'is', null)
    .executeTakeFirstOrThrow();
  if (!bears) return no('balance');
  await tx
    .insertInto('outbound_leg')
    .values({
      leg,
      call_id: callOf(leg),
      account_id: accountId,
      profile_id: profileId ?? null,
      called,
      rate: String(rate.price),
      increment_s: rate.incrementS,
      hold: String(hold),
      answered_on: null,
      ended_on: null,
    })
    .execute();
  return { granted: true, callerNumber: '' };
}

const no = (reason: Refused): Reservation => ({ granted: false, reason });

/** The call of a leg: its uuid with the low 16 bits zero. */
export const callOf = (leg: string): string => `${leg.slice(0, -4)}0000`;

/** What a leg that goes on costs at least: its first minute, or what it has come to. */
const OPEN_COST = sql`greatest(hold,
  ceil(extract(epoch from now() - coalesce(answered_on, now())) / increment_s) * increment_s * rate / 60)`;
