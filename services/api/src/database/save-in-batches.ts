/** Rows of a file into a table: all of them or nothing, in one transaction, some at a time; what is no row is told by its line. */
import type { Transaction } from 'kysely';
import type { Database, Tables } from './database.ts';

const ERRORS_MAX = 20;

/** `errors`: the first of those that failed. */
export type Imported = {
  total: number;
  accepted: number;
  failed: number;
  errors: Array<{ line: number; reason: string }>;
};

/** A line of a file: a row, or why it is none. */
export type Line<R> = ({ ok: true } & R) | { ok: false; line: number; reason: string };

/** `keyed`: the row of a line with its key; in one statement a key may stand only once, and its last row counts. */
type Target<R, V> = {
  batch: number;
  before(tx: Transaction<Tables>): Promise<unknown>;
  keyed(read: R): [key: string, row: V];
  upsert(tx: Transaction<Tables>, rows: V[]): Promise<unknown>;
  /** Told after each batch. */
  progress?: ((sofar: Imported) => void) | undefined;
};

/** @throws what reading or the database threw; nothing was changed then */
export async function saveInBatches<R, V>(
  db: Database,
  reads: AsyncIterable<Line<R>>,
  { batch: size, before, keyed, upsert, progress }: Target<R, V>,
): Promise<Imported> {
  const sofar: Imported = { total: 0, accepted: 0, failed: 0, errors: [] };
  await db.transaction().execute(async (tx) => {
    await before(tx);
    let batch = new Map<string, V>();
    const flush = async () => {
      if (batch.size > 0) await upsert(tx, [...batch.values()]);
      batch = new Map();
      progress?.(sofar);
    };
    for await (const read of reads) {
      sofar.total++;
      if (!read.ok) {
        sofar.failed++;
        if (sofar.errors.length < ERRORS_MAX) sofar.errors.push({ line: read.line, reason: read.reason });
        continue;
      }
      sofar.accepted++;
      batch.set(...keyed(read));
      if (batch.size === size) await flush();
    }
    await flush();
  });
  return sofar;
}
