/**
 * Leases whose month is over (reference 1.4): those to be renewed are charged for the next month, each month once; the
 * others, and those that can't be paid, are given back and take no call any more. One lease is one transaction.
 */
import type { Kysely } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { Refusal } from '../kernel/refusal.ts';
import { move } from '../money/move.ts';
import { release } from './leases.ts';

export const MONTH_MS = 30 * 86_400_000;
/** In one run; what is left has an hour until the next. */
const LEASES_MAX = 20_000;

type Ended = { id: string; tn: string; account_id: string; expires_on: Date; mrc: string; isAccountGone: boolean };

/** The next lease that has ended, held for this transaction; whoever else looks passes it over. */
async function nextEnded(tx: Kysely<Tables>, autorenew: boolean, now: Date): Promise<Ended | undefined> {
  const row = await tx
    .selectFrom('lease')
    .innerJoin('inventory', 'inventory.tn', 'lease.tn')
    .innerJoin('account', 'account.id', 'lease.account_id')
    .where('lease.released_on', 'is', null)
    .where('lease.autorenew', '=', autorenew)
    .where('lease.expires_on', '<=', now)
    .select(['lease.id', 'lease.tn', 'lease.account_id', 'lease.expires_on', 'inventory.mrc', 'account.deleted_on'])
    .orderBy('lease.expires_on')
    .limit(1)
    .forUpdate(['lease'])
    .skipLocked()
    .executeTakeFirst();
  return row && { ...row, isAccountGone: row.deleted_on !== null };
}

async function each(db: Database, autorenew: boolean, now: Date, end: (tx: Kysely<Tables>, lease: Ended) => unknown) {
  for (let done = 0; done < LEASES_MAX; done++) {
    const isDone = await db.transaction().execute(async (tx) => {
      const lease = await nextEnded(tx, autorenew, now);
      if (lease) await end(tx, lease);
      return lease === undefined;
    });
    if (isDone) return done;
  }
  return LEASES_MAX;
}

/** A month that passed while nothing ran is charged as well: the number was theirs. @returns how many months it renewed or numbers it took */
export const renewLeases = (db: Database, now = new Date()): Promise<number> =>
  each(db, true, now, async (tx, lease) => {
    if (lease.isAccountGone || !(await isPaid(tx, lease))) return release(tx, lease);
    const expires_on = new Date(lease.expires_on.getTime() + MONTH_MS);
    await tx.updateTable('lease').set({ expires_on, modified_on: now }).where('id', '=', lease.id).execute();
  });

async function isPaid(tx: Kysely<Tables>, { id, tn, account_id, expires_on, mrc }: Ended): Promise<boolean> {
  const from = expires_on.toISOString();
  const month = {
    reason: 'tnlease_mrc',
    ref: `${id}/${from}`,
    description: `${tn}, month from ${from.slice(0, 10)}`,
  } as const;
  try {
    await move(tx, { accountId: account_id, amount: -Number(mrc), ...month });
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'unaffordable') return false;
    throw error;
  }
}

/** @returns how many numbers were given back */
export const releaseLeases = (db: Database, now = new Date()): Promise<number> => each(db, false, now, release);
