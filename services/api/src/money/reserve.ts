/**
 * Whether a leg may go out through a trunk: it takes a channel and keeps its first minute back, or says why not. The
 * account's row is locked meanwhile, so that however many ask at once no limit is passed. Its next minutes: extend.ts.
 */
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { priceOf, rateOf } from './price.ts';

export type Refused = 'channel-limit' | 'spend-limit' | 'rate' | 'balance' | 'inactive' | 'no-trunk';

export type Reservation = { granted: true } | { granted: false; reason: Refused };

export type Asked = {
  /**
   * UUID of the leg: the call's, with the leg's number in the low 16 bits. Asked again for the same number it is granted again; for
   * another, as a redirection names one, it is judged and priced as if it were new, until it was answered.
   */
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
export const IS_OPEN = sql<boolean>`(ended_on is null and
  (answered_on is not null or reserved_on > now() - interval '15 minutes'))`;

/** What a leg costs so far: ended, what was charged; open, what is kept back for it or what it has come to. */
export const COST = sql`case when ended_on is not null then charged else greatest(hold,
  ceil(extract(epoch from now() - coalesce(answered_on, now())) / increment_s) * increment_s * rate / 60) end`;

/** What is kept back before a leg leaves. */
const FIRST_S = 60;

/** When the day began, by the clock of an account. */
export const dayOf = (timeZone: string) =>
  sql`date_trunc('day', now() at time zone ${timeZone}) at time zone ${timeZone}`;

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
    .select(['profile_id', 'called', 'answered_on', 'ended_on'])
    .where('leg', '=', leg)
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  const profileId = before ? (before.profile_id ?? undefined) : asked.profileId;
  const profile = profileId === undefined ? undefined : await profileOf(tx, profileId, accountId);
  if (before?.called === called) return { granted: true };
  // What was answered or is over is charged as it was granted, and goes nowhere else.
  if (before && (before.answered_on || before.ended_on)) return no('rate');
  if (profileId !== undefined && !profile?.is_active) return no('inactive');

  const rate = await rateOf(tx, 'out', called);
  const maxRate = Number(profile?.max_rate ?? 0);
  if (!rate || (maxRate > 0 && rate.price > maxRate)) return no('rate');
  const hold = priceOf(rate, FIRST_S * 1000);
  const refused = await beyondLimits(tx, { ...asked, profileId }, account, profile, hold);
  if (refused) return no(refused);
  const granted = {
    called,
    rate: String(rate.price),
    increment_s: rate.incrementS,
    hold: String(hold),
    hold_s: Math.ceil(FIRST_S / rate.incrementS) * rate.incrementS,
  };
  if (before)
    await tx
      .updateTable('outbound_leg')
      .set({ ...granted, reserved_on: sql<Date>`now()` })
      .where('leg', '=', leg)
      .execute();
  else
    await tx
      .insertInto('outbound_leg')
      .values({ ...granted, leg, call_id: callOf(leg), account_id: accountId, profile_id: profileId ?? null })
      .execute();
  return { granted: true };
}

type Account = { balance: string; time_zone: string };
type Profile = NonNullable<Awaited<ReturnType<typeof profileOf>>>;

/** Which limit of the profile or the account one more leg would pass; undefined: none. */
async function beyondLimits(
  tx: Kysely<Tables>,
  { leg, accountId, profileId }: Asked,
  account: Account,
  profile: Profile | undefined,
  hold: number,
): Promise<Refused | undefined> {
  const day = dayOf(account.time_zone);
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
    .where('leg', '!=', leg)
    .where((w) => w.or([w('ended_on', 'is', null), w.and([ofProfile, sql<boolean>`ended_on >= ${day}`])]))
    .executeTakeFirstOrThrow();
  if (profile && profile.channel_limit > 0 && Number(channels) >= profile.channel_limit) return 'channel-limit';
  if (profile && Number(profile.daily_spend_limit) > 0 && !affordable) return 'spend-limit';
  return bears ? undefined : 'balance';
}

const no = (reason: Refused): Reservation => ({ granted: false, reason });

const profileOf = (tx: Kysely<Tables>, profileId: string, accountId: string) =>
  tx
    .selectFrom('outbound_voice_profile as profile')
    .select(['profile.is_active', 'profile.channel_limit', 'profile.max_rate', 'profile.daily_spend_limit'])
    .where('profile.id', '=', profileId)
    .where('profile.account_id', '=', accountId)
    .executeTakeFirst();

/** The call of a leg: its uuid with the low 16 bits zero. */
export const callOf = (leg: string): string => `${leg.slice(0, -4)}0000`;
