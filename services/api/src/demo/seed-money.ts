/** What calls cost at a first start, so that a balance moves; marked, and put nowhere where there are rates. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Tables } from '../database/database.ts';
import { move } from '../money/move.ts';

const RATES = [
  { direction: 'in', prefix: '1', price: '0.006', increment_s: 6 },
  { direction: 'in', prefix: '', price: '0.02', increment_s: 60 },
  { direction: 'out', prefix: '1', price: '0.012', increment_s: 60 },
  { direction: 'out', prefix: '', price: '0.15', increment_s: 60 },
  { direction: 'tts', prefix: '', price: '0.01', increment_s: 60 },
] as const;
/** `OPENTACT_FREE_CALLS=yes`: calls out cost nothing, as long as nobody entered a rate. Told apart by its mark and its price. */
const FREE = { direction: 'out', prefix: '', price: '0', demo: true } as const;
const CREDIT = 100;

export async function seedMoney(tx: Transaction<Tables>, accountId: string): Promise<void> {
  const any = await tx.selectFrom('rate').select('prefix').limit(1).executeTakeFirst();
  if (!any)
    await tx
      .insertInto('rate')
      .values(RATES.map((rate) => ({ ...rate, demo: true })))
      .execute();
  const first = { amount: CREDIT, reason: 'payment', ref: 'first-start', description: 'credit to try it' } as const;
  await move(tx, { accountId, ...first });
}

/** At every start: what an earlier one was told about free calls counts no more. */
export async function seedFreeCalls(db: Kysely<Tables>, isFree: boolean): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .deleteFrom('rate')
      .where('direction', '=', 'out')
      .where('demo', '=', true)
      .where(sql<boolean>`price = 0`)
      .execute();
    const any = await tx.selectFrom('rate').select('prefix').where('direction', '=', 'out').executeTakeFirst();
    if (!isFree || any) return;
    await tx
      .insertInto('rate')
      .values(FREE)
      .onConflict((c) => c.doNothing())
      .execute();
  });
}
