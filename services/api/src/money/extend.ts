/**
 * Answered legs are paid ahead: before what is kept back for one runs out, its next minute is kept back too; where the
 * balance or the profile's spend limit refuses that, the call is ended just before it would cost what nobody can pay.
 * Bounded: so many legs a round. Whoever of several processes comes first does it; one that is killed has done nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@opentact/runtime';
import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { Refusal } from '../kernel/refusal.ts';
import { priceOf } from './price.ts';
import { COST, dayOf, IS_OPEN } from './reserve.ts';

/** So long before the paid time ends it is extended; tried again until it has ended but for LAST_S. */
export const AHEAD_S = 30;
const BLOCK_S = 60;
const LAST_S = 3;
const ROUND_MS = 1_000;
const LEGS_A_ROUND = 1_000;
const ACCOUNTS_AT_ONCE = 4;
/** An engine that was asked is asked again after so long, until the journal says that the leg has ended. */
const AGAIN_S = 5;
const GONE_S = 60;

export type Unpaid = 'balance' | 'spend-limit';
/** Ends a call; the story names the reason. @throws Refusal not-found, conflict where there is none any more; unavailable */
export type EndCall = (callId: string, key: string, reason: Unpaid) => Promise<void>;

type Leg = { leg: string; call_id: string; refused: Unpaid };

/** Every leg that is due. @returns how many calls were ended */
export async function extendLegs(db: Database, endCall: EndCall): Promise<number> {
  const { rows } = await sql<{ account: string }>`
    select account_id as account from (
      select account_id from outbound_leg where ended_on is null and next_on <= now()
      order by next_on limit ${LEGS_A_ROUND}) as due
    group by account_id`.execute(db);
  const waiting = rows.map(({ account }) => account);
  let ended = 0;
  const work = async () => {
    for (let account = waiting.pop(); account !== undefined; account = waiting.pop()) {
      const unpaid = await db.transaction().execute((tx) => extend(tx, account!));
      for (const leg of unpaid) if (await end(db, leg, endCall)) ended++;
    }
  };
  await Promise.all(Array.from({ length: ACCOUNTS_AT_ONCE }, work));
  return ended;
}

/** @returns legs whose paid time is over */
async function extend(tx: Kysely<Tables>, accountId: string): Promise<Leg[]> {
  const account = await tx
    .selectFrom('account')
    .select(['balance', 'time_zone'])
    .where('id', '=', accountId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!account) return [];
  const due = await tx
    .selectFrom('outbound_leg')
    .select(['leg', 'call_id', 'profile_id', 'rate', 'increment_s', 'hold_s'])
    .select(sql<number>`extract(epoch from now() - answered_on)::float`.as('elapsed_s'))
    .select(sql<string>`${COST}`.as('cost'))
    .where('account_id', '=', accountId)
    .where('ended_on', 'is', null)
    .where('answered_on', 'is not', null)
    .where('next_on', '<=', sql<Date>`now()`)
    .orderBy('next_on')
    .limit(LEGS_A_ROUND)
    .forUpdate()
    .execute();
  const { open } = await tx
    .selectFrom('outbound_leg')
    .select(sql<string>`coalesce(sum(${COST}), 0)`.as('open'))
    .where('account_id', '=', accountId)
    .where(IS_OPEN)
    .executeTakeFirstOrThrow();
  let left = Number(account.balance) - Number(open);
  const unpaid: Leg[] = [];
  for (const row of due) {
    const rate = { price: Number(row.rate), incrementS: row.increment_s };
    const paidS = Math.max(row.hold_s, Math.ceil(row.elapsed_s));
    const spendLeft = await spendLeftOf(tx, row.profile_id, accountId, account.time_zone);
    // Where a whole minute is too much, the next increment may not be.
    const granted = [Math.max(BLOCK_S, row.increment_s), row.increment_s]
      .map((more) => {
        const seconds = Math.ceil((paidS + more) / row.increment_s) * row.increment_s;
        return { seconds, hold: priceOf(rate, seconds * 1000) };
      })
      .find(({ hold }) => fits(hold - Number(row.cost), left, spendLeft));
    if (granted) {
      left -= granted.hold - Number(row.cost);
      await keep(tx, row.leg, granted.seconds, granted.hold);
      continue;
    }
    const refused = spendLeft <= 0 || left > spendLeft ? 'spend-limit' : 'balance';
    const remainingS = row.hold_s - LAST_S - row.elapsed_s;
    await tx
      .updateTable('outbound_leg')
      .set({ refused, next_on: inSeconds(remainingS > 0 ? Math.min(remainingS, AGAIN_S) : AGAIN_S) })
      .where('leg', '=', row.leg)
      .execute();
    if (remainingS <= 0) unpaid.push({ leg: row.leg, call_id: row.call_id, refused });
  }
  return unpaid;
}

/** Amounts have four decimals; what is only a float's error is none. */
const fits = (more: number, left: number, spendLeft: number) => more <= left + 1e-9 && more <= spendLeft + 1e-9;

const inSeconds = (seconds: number) => sql<Date>`now() + ${seconds}::float * interval '1 s'`;

const keep = (tx: Kysely<Tables>, leg: string, hold_s: number, hold: number) =>
  tx
    .updateTable('outbound_leg')
    .set({
      ...{ hold_s, hold: String(hold), refused: null },
      next_on: sql<Date>`answered_on + ${hold_s - AHEAD_S}::float * interval '1 s'`,
    })
    .where('leg', '=', leg)
    .execute();

/** What a profile may still spend today; no limit: Infinity. */
async function spendLeftOf(
  tx: Kysely<Tables>,
  profileId: string | null,
  accountId: string,
  timeZone: string,
): Promise<number> {
  if (profileId === null) return Number.POSITIVE_INFINITY;
  const profile = await tx
    .selectFrom('outbound_voice_profile')
    .select('daily_spend_limit')
    .where('id', '=', profileId)
    .executeTakeFirst();
  const limit = Number(profile?.daily_spend_limit ?? 0);
  if (limit <= 0) return Number.POSITIVE_INFINITY;
  const { spent } = await tx
    .selectFrom('outbound_leg')
    .select(sql<string>`coalesce(sum(${COST}), 0)`.as('spent'))
    .where('account_id', '=', accountId)
    .where('profile_id', '=', profileId)
    .where((w) => w.or([IS_OPEN, sql<boolean>`ended_on >= ${dayOf(timeZone)}`]))
    .executeTakeFirstOrThrow();
  return limit - Number(spent);
}

async function end(db: Database, { leg, call_id, refused }: Leg, endCall: EndCall): Promise<boolean> {
  try {
    await endCall(call_id, `unpaid ${leg}`, refused);
    return true;
  } catch (error) {
    const isGone = error instanceof Refusal && (error.code === 'not-found' || error.code === 'conflict');
    // Its end is on its way here, or never comes: no reason to ask every few seconds.
    if (isGone)
      await db
        .updateTable('outbound_leg')
        .set({ next_on: inSeconds(GONE_S) })
        .where('leg', '=', leg)
        .execute();
    return false;
  }
}

/** Until it is told to stop. Never rejects. */
export async function keepExtending(
  db: Database,
  endCall: EndCall,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  while (!signal.aborted) {
    await extendLegs(db, endCall)
      .then((ended) => ended > 0 && logger.info({ ended }, 'calls that could not be paid further were ended'))
      .catch((err) => logger.warn({ err }, 'legs are not paid ahead now'));
    await sleep(ROUND_MS, undefined, { signal }).catch(() => {});
  }
}
