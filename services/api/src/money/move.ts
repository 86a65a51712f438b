/** Balances: every change is a transaction, each thing is billed once, and nothing that is ordered overdraws. */
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { RestError } from '../rest/errors.ts';

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
  /** What was used already is taken even where it leaves less than nothing. */
  overdraws?: boolean;
};

/**
 * Takes or gives an amount, in the transaction that does what is paid for. It locks the account's row.
 * @returns whether anything was moved
 * @throws RestError 402 where the balance is too low
 */
export async function move(tx: Kysely<Tables>, of: Movement): Promise<boolean> {
  const { accountId, amount, reason, ref, description } = of;
  if (amount === 0) return false;
  const account = await tx
    .selectFrom('account')
    .select(sql<boolean>`balance + ${amount} >= 0`.as('enough'))
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
  if (!account || (amount < 0 && !account.enough && !of.overdraws))
    throw new RestError(402, `the balance is too low: ${(-amount).toFixed(2)} is needed`);
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
      description,
    })
    .execute();
  return true;
}
