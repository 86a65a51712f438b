/**
 * A few exchanges as they are, so that a condition on a county can be tried before numbering data is imported. They carry
 * the mark of a demo, and are put nowhere where something was imported.
 */
import type { Transaction } from 'kysely';
import type { Tables } from '../database/database.ts';

const EXCHANGES = [
  ['212', '555', 'NY', 'NEW YORK'],
  ['718', '555', 'NY', 'KINGS'],
  ['716', '555', 'NY', 'ERIE'],
  ['213', '555', 'CA', 'LOS ANGELES'],
  ['415', '555', 'CA', 'SAN FRANCISCO'],
  ['305', '555', 'FL', 'MIAMI-DADE'],
  ['312', '555', 'IL', 'COOK'],
  ['404', '555', 'GA', 'FULTON'],
  ['617', '555', 'MA', 'SUFFOLK'],
  ['713', '555', 'TX', 'HARRIS'],
  ['206', '555', 'WA', 'KING'],
] as const;

export async function seedNumbering(tx: Transaction<Tables>): Promise<void> {
  const imported = await tx.selectFrom('numbering').select('npa').where('demo', '=', false).limit(1).execute();
  if (imported.length > 0) return;
  await tx
    .insertInto('numbering')
    .values(EXCHANGES.map(([npa, nxx, state, county]) => ({ npa, nxx, state, county, demo: true })))
    .onConflict((c) => c.doNothing())
    .execute();
}
