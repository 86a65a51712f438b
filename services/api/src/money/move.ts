/**
 * Balances: every change is a transaction, each thing is billed once, and nothing that is ordered overdraws: what open legs
 * have come to, or keep back, is spent already.
 */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { Refusal } from '../kernel/refusal.ts';
import { COST, IS_OPEN } from './reserve.ts';

/** What a transaction is about (reference A.1, ETransactionReferenceType); these are written so far. */
export type Reason = 'payment' | 'tnlease_nrc' | 'tnlease_mrc' | 'voice_incoming' | 'voice_outgoing' | 'tts';

export type Movement = {
  accountId: string;
  /** Taken where negative. At most four decimals. */
  amount: number;
  reason: Reason;
  /** With the reason: what is billed. The same thing twice moves nothing. */
  ref: string;
  description: string;
  /** `overdraws`: what was used already is taken even where it leaves less than nothing. `caps`: as much of it as there is. */
  overdraws?: boolean;
  caps?: boolean;
};

/** Amounts have four decimals; what is less is none. */
const FLOAT_ERROR = 1e-6;

/** What of a balance no open leg has used or keeps back. Asked once the account's row is locked. */
async function leftOf(tx: Kysely<Tables>, accountId: string): Promise<number> {
  const { balance } = await tx
    .selectFrom('account')
    .select('balance')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  const { open } = await tx
    .selectFrom('outbound_leg')
    .select(sql<string>`coalesce(sum(${COST}) filter (where ${IS_OPEN}), 0)`.as('open'))
    .where('account_id', '=', accountId)
    .where('ended_on', 'is', null)
    .executeTakeFirstOrThrow();
  return Math.floor((Number(balance) - Number(open)) * 10_000 + FLOAT_ERROR) / 10_000;
}

/**
 * Takes or gives an amount, in the transaction that does what is paid for. It locks the account's row.
 * @returns whether anything was moved
 * @throws Refusal unaffordable where the balance is too low
 */
export async function move(tx: Kysely<Tables>, of: Movement): Promise<boolean> {
  const { accountId, reason, ref, description } = of;
  if (of.amount === 0) return false;
  const account = await tx
    .selectFrom('account')
    .select('id')
    .where('id', '=', accountId)
    // Rows that name the account may be written meanwhile: theirs is a key share, which this lock admits.
    .forNoKeyUpdate()
    .executeTakeFirst();
  // Read after the lock, so that nobody bills the same meanwhile.
  const done = await tx
    .selectFrom('transaction')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ref_type', '=', reason)
    .where('ref_id', '=', ref)
    .executeTakeFirst();
  if (done) return false;
  const mayOverdraw = of.amount >= 0 || of.overdraws;
  const left = account && !mayOverdraw ? await leftOf(tx, accountId) : Number.POSITIVE_INFINITY;
  const isTooMuch = left + of.amount < -FLOAT_ERROR;
  if (!account || (isTooMuch && !of.caps))
    throw new Refusal('unaffordable', `the balance is too low: ${(-of.amount).toFixed(2)} is needed`);
  const amount = isTooMuch && of.caps ? -Math.max(0, left) : of.amount;
  const { balance } = await tx
    .updateTable('account')
    .set({ balance: sql`balance + ${amount}`, modified_on: new Date() })
    .where('id', '=', accountId)
    .returning('balance')
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('transaction')
    .values({
      id: randomUUID(),
      account_id: accountId,
      amount: String(amount),
      balance_after: balance,
      ref_type: reason,
      ref_id: ref,
      description: amount === of.amount ? description : `${description}; of ${-of.amount} what there was`,
    })
    .execute();
  return true;
}
