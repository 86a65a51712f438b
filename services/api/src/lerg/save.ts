/**
 * Exchanges into the numbering table: all of a file or nothing, in one transaction, a batch at a time. What is imported
 * takes the place of the demo's rows and of what was imported before.
 */
import { sql, type Transaction } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import type { Exchange, Read } from './exchanges.ts';

const BATCH = 2_000;
const ERRORS_MAX = 20;

/** `errors`: the first of those that failed. */
export type Imported = {
  total: number;
  accepted: number;
  failed: number;
  errors: Array<{ line: number; reason: string }>;
};

/**
 * @param options.replaceDemo the demo's rows go, whether or not the file has theirs.
 * @param options.progress told after each batch.
 * @throws what reading or the database threw; nothing was changed then.
 */
export async function saveExchanges(
  db: Database,
  reads: AsyncIterable<Read>,
  options: { replaceDemo: boolean; progress?: (sofar: Imported) => void },
): Promise<Imported> {
  const sofar: Imported = { total: 0, accepted: 0, failed: 0, errors: [] };
  await db.transaction().execute(async (tx) => {
    if (options.replaceDemo) await tx.deleteFrom('numbering').where('demo', '=', true).execute();
    // An exchange has a line for each of its blocks; in one statement it may stand only once.
    let batch = new Map<string, Exchange>();
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
      const { npa, nxx } = read.exchange;
      batch.set(npa + nxx, read.exchange);
      if (batch.size === BATCH) await flush();
    }
    await flush();
  });
  return sofar;
}

async function upsert(tx: Transaction<Tables>, exchanges: Exchange[]): Promise<void> {
  const column = (name: keyof Exchange) => sql`${exchanges.map((exchange) => exchange[name])}::text[]`;
  await sql`
    insert into numbering (npa, nxx, state, county, demo)
    select npa, nxx, state, county, false
    from unnest(${column('npa')}, ${column('nxx')}, ${column('state')}, ${column('county')}) as t (npa, nxx, state, county)
    on conflict (npa, nxx) do update set state = excluded.state, county = excluded.county, demo = false`.execute(tx);
}
