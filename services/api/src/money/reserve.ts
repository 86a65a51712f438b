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

/**
 * What counts: a leg that was answered and has not ended, or was reserved a short while ago; a call that never came to be
 * ends nothing, so its reservation is forgotten by itself.
 */
const IS_OPEN = sql<boolean>`(ended_on is null and
  (answered_on is not null or reserved_on > now() - interval '15 minutes'))`;

/** What a leg costs so far: ended, what was charged; open, its first minute or what it has come to. */
const COST = sql`case when ended_on is not null then charged else greatest(hold,
  ceil(extract(epoch from now() - coalesce(answered_on, now())) / increment_s) * increment_s * rate / 60) end`;

/** @param tx a transaction; the leg counts from its commit */
export async function reserve(tx: Kysely<Tables>, asked: Asked): Promise<Reservation> {
  const { leg, accountId, called } = asked;
  const account = await tx
    .selectFrom('account')
    .select(['balance', 'time_zone'])
    .where('id', '=', accountId)
    .where('deleted_on', 'is', null)
    // Rows that name the account may be written meanwhile: theirs is a key share, which this lock admits.
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!account) return no('inactive');
  const before = await tx
    .selectFrom('outbound_leg')
    .select('profile_id')
    .where('leg', '=', leg)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  const profileId = before ? (before.profile_id ?? undefined) : asked.profileId;
  const profile = profileId === undefined ? undefined : await profileOf(tx, profileId, accountId);
  const granted = { granted: true, callerNumber: profile?.tn ?? '' } as const;
  if (before) return granted;
  if (profileId !== undefined && !profile?.is_active) return no('inactive');

  const rate = await rateOf(tx, 'out', called);
  const maxRate = Number(profile?.max_rate ?? 0);
  if (!rate || (maxRate > 0 && rate.price > maxRate)) return no('rate');
  const hold = priceOf(rate, 60_000);
  const day = sql`date_trunc('day', now() at time zone ${account.time_zone}) at time zone ${account.time_zone}`;
  const ofProfile = sql<boolean>`profile_id = ${profileId ?? null}::uuid`;
  const { channels, affordable, bears } = await tx
    .selectFrom('outbound_leg')
    .select([
      sql<string>`count(*) filter (where ${ofProfile} and ${IS_OPEN})`.as('channels'),
      sql<boolean>`coalesce(sum(${COST}) filter (where ${ofProfile} and (ended_on is not null or ${IS_OPEN})), 0)
        + ${hold}::numeric <= ${profile?.daily_spend_limit ?? '0'}::numeric`.as('affordable'),
      sql<boolean>`${account.balance}::numeric - coalesce(sum(${COST}) filter (where ${IS_OPEN}), 0) >= ${hold}::numeric`.as(
        'bears',
      ),
    ])
    .where('account_id', '=', accountId)
    .where((w) => w.or([w('ended_on', 'is', null), w.and([ofProfile, sql<boolean>`ended_on >= ${day}`])]))
    .executeTakeFirstOrThrow();
  if (profile && profile.channel_limit > 0 && Number(channels) >= profile.channel_limit) return no('channel-limit');
  if (profile && Number(profile.daily_spend_limit) > 0 && !affordable) return no('spend-limit');
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
  return granted;
}

const no = (reason: Refused): Reservation => ({ granted: false, reason });

const profileOf = (tx: Kysely<Tables>, profileId: string, accountId: string) =>
  tx
    .selectFrom('outbound_voice_profile as profile')
    .leftJoin('lease', (join) => join.onRef('lease.id', '=', 'profile.tn_lease_id').on('lease.released_on', 'is', null))
    .select(['profile.is_active', 'profile.channel_limit', 'profile.max_rate', 'profile.daily_spend_limit', 'lease.tn'])
    .where('profile.id', '=', profileId)
    .where('profile.account_id', '=', accountId)
    .executeTakeFirst();

/** The call of a leg: its uuid with the low 16 bits zero. */
export const callOf = (leg: string): string => `${leg.slice(0, -4)}0000`;
