/**
 * Numbers into the inventory: all of a file or nothing, in one transaction, a batch at a time. A number that is there gets
 * the file's place and prices; whose it is now, nothing here touches.
 */
import { sql, type Transaction } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import type { Imported } from '../lerg/save.ts';
import type { Offer, Read } from './offers.ts';

const BATCH = 1_000;
const ERRORS_MAX = 20;

/**
 * @param options.replaceDemo the demo's numbers go, but for those that are or were leased
 * @param options.progress told after each batch
 * @throws what reading or the database threw; nothing was changed then
 */
export async function saveOffers(
  db: Database,
  reads: AsyncIterable<Read>,
  options: { replaceDemo: boolean; progress?: (sofar: Imported) => void },
): Promise<Imported> {
  const sofar: Imported = { total: 0, accepted: 0, failed: 0, errors: [] };
  await db.transaction().execute(async (tx) => {
    if (options.replaceDemo)
      await sql`delete from inventory where demo and not exists (select from lease where lease.tn = inventory.tn)`.execute(
        tx,
      );
    // The last line of a number counts; in one statement it may stand only once.
    let batch = new Map<string, Offer>();
    const flush = async () => {
      if (batch.size > 0) await upsert(tx, [...batch.values()]);
      batch = new Map();
      options.progress?.(sofar);
    };
    for await (const read of reads) {
      sofar.total++;
      if (!read.ok) {
        sofar.failed++;
        if (sofar.errors.length < ERRORS_MAX) sofar.errors.push({ line: read.line, reason: read.reason });
        continue;
      }
      sofar.accepted++;
      batch.set(read.offer.tn, read.offer);
      if (batch.size === BATCH) await flush();
    }
    await flush();
  });
  return sofar;
}

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
