/**
 * Numbers into the inventory: all of a file or nothing, in one transaction, a batch at a time. A number that is there gets
 * the file's place and prices; whose it is now, nothing here touches.
 */
import { sql, type Transaction } from 'kysely';
import type { Database, Tables } from '../../database/database.ts';
import { type Imported, saveInBatches } from '../../database/save-in-batches.ts';
import type { Offer, Read } from './offers.ts';

const BATCH = 1_000;

/**
 * @param options.replaceDemo the demo's numbers go, but for those that are or were leased
 * @param options.progress told after each batch
 * @throws what reading or the database threw; nothing was changed then
 */
export const saveOffers = (
  db: Database,
  reads: AsyncIterable<Read>,
  { replaceDemo, progress }: { replaceDemo: boolean; progress?: (sofar: Imported) => void },
): Promise<Imported> =>
  saveInBatches(db, reads, {
    batch: BATCH,
    before: async (tx) => replaceDemo && forgetDemo(tx),
    keyed: ({ offer }) => [offer.tn, offer],
    upsert,
    progress,
  });

const forgetDemo = (tx: Transaction<Tables>) =>
  sql`delete from inventory where demo and not exists (select from lease where lease.tn = inventory.tn)`.execute(tx);

const upsert = (tx: Transaction<Tables>, offers: Offer[]) =>
  tx
    .insertInto('inventory')
    .values(offers.map((offer) => ({ ...offer, demo: false })))
    .onConflict((c) =>
      c.column('tn').doUpdateSet((w) => ({
        country: w.ref('excluded.country'),
        state: w.ref('excluded.state'),
        city: w.ref('excluded.city'),
        rate_center: w.ref('excluded.rate_center'),
        kind: w.ref('excluded.kind'),
        features: w.ref('excluded.features'),
        nrc: w.ref('excluded.nrc'),
        mrc: w.ref('excluded.mrc'),
        demo: w.ref('excluded.demo'),
      })),
    )
    .execute();
