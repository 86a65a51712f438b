/**
 * Exchanges into the numbering table: all of a file or nothing, in one transaction, a batch at a time. What is imported
 * takes the place of the demo's rows and of what was imported before.
 */
import { sql, type Transaction } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { type Imported, saveInBatches } from '../database/save-in-batches.ts';
import type { Exchange, Read } from './exchanges.ts';

const BATCH = 2_000;

/**
 * An exchange has a line for each of its blocks.
 * @param options.replaceDemo the demo's rows go, whether or not the file has theirs.
 * @param options.progress told after each batch.
 * @throws what reading or the database threw; nothing was changed then.
 */
export const saveExchanges = (
  db: Database,
  reads: AsyncIterable<Read>,
  { replaceDemo, progress }: { replaceDemo: boolean; progress?: (sofar: Imported) => void },
): Promise<Imported> =>
  saveInBatches(db, reads, {
    batch: BATCH,
    before: async (tx) => replaceDemo && tx.deleteFrom('numbering').where('demo', '=', true).execute(),
    keyed: ({ exchange }) => [exchange.npa + exchange.nxx, exchange],
    upsert,
    progress,
  });

async function upsert(tx: Transaction<Tables>, exchanges: Exchange[]): Promise<void> {
  const column = (name: keyof Exchange) => sql`${exchanges.map((exchange) => exchange[name])}::text[]`;
  await sql`
    insert into numbering (npa, nxx, state, county, demo)
    select npa, nxx, state, county, false
    from unnest(${column('npa')}, ${column('nxx')}, ${column('state')}, ${column('county')}) as t (npa, nxx, state, county)
    on conflict (npa, nxx) do update set state = excluded.state, county = excluded.county, demo = false`.execute(tx);
}
