/** What a run left in the journal: events and appends, counted in the database itself (an append is a transaction). */
import { openDatabase } from '../../services/api/src/database/database.ts';

type Records = { log_record: { partition: number; position: string; key: string; xmin: string } };
type Heads = { log_partition: { topic: string; partition: number; position: string } };

export type Count = {
  calls: number;
  events: number;
  /** Transactions: several calls may share one. */
  appends: number;
  /** Transactions that hold something of a call, summed over the calls: what a call costs alone. */
  appendsAlone: number;
};

export function openJournal(url: string) {
  const database = openDatabase(url);
  const db = database.withTables<Records & Heads>();
  return {
    /** Where each partition ends now. */
    heads: async () =>
      (
        await db
          .selectFrom('log_partition')
          .select(['partition', 'position'])
          .where('topic', '=', 'calls.journal')
          .execute()
      ).map(({ partition, position }) => ({ partition, position: String(position) })),
    /** What was written since. */
    async since(heads: Array<{ partition: number; position: string }>): Promise<Count> {
      const total: Count = { calls: 0, events: 0, appends: 0, appendsAlone: 0 };
      for (const { partition, position } of heads) {
        const rows = await db
          .selectFrom('log_record')
          .select(['key', (w) => w.cast<string>('xmin', 'text').as('transaction')])
          .where('partition', '=', partition)
          .where('position', '>', position)
          .where('key', '!=', '')
          .execute();
        total.events += rows.length;
        total.calls += new Set(rows.map((r) => r.key)).size;
        total.appends += new Set(rows.map((r) => r.transaction)).size;
        total.appendsAlone += new Set(rows.map((r) => `${r.key} ${r.transaction}`)).size;
      }
      return total;
    },
    close: () => database.destroy(),
  };
}
