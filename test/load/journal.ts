/**
 * What a run left in the journal: events and appends. In PostgreSQL an append is a transaction and names itself in each
 * row; in Kafka it is one too, and ends with a marker that takes a position of its own.
 */
import { kafkaLog } from '@opentact/event-log';
import { openDatabase } from '../../services/api/src/database/database.ts';

type Records = { log_record: { partition: number; position: string; key: string; xmin: string } };
type Statistics = { pg_stat_database: { xact_commit: string } };
type Places = { log_partition: { topic: string; partition: number; position: string } };

export type Count = {
  calls: number;
  events: number;
  /** Transactions: several calls may share one. */
  appends: number;
  /** Transactions that hold something of a call, summed over the calls: what a call costs alone. */
  appendsAlone: number;
  /** Transactions of every database of the server, whoever made them; nobody counts Kafka's. */
  transactions: number;
};

type Heads = Array<{ partition: number; position: string }>;

export type Journal = {
  /** Where each partition ends now. */
  heads(): Promise<Heads>;
  /** What was written since. */
  since(heads: Heads): Promise<Count>;
  close(): Promise<void>;
};

/** The journal in Kafka. */
export async function openKafkaJournal(brokers: string[]): Promise<Journal> {
  const log = await kafkaLog({ brokers });
  async function read(from: Heads, learn: (partition: number, position: number, key: string) => void): Promise<Heads> {
    const ends: Heads = [];
    for (const { partition, position } of from) {
      let last = Number(position);
      for await (const record of log.replay('calls.journal', partition, last)) {
        last = record.position;
        learn(partition, last, record.key);
      }
      ends.push({ partition, position: String(last) });
    }
    return ends;
  }
  let known: Heads = Array.from({ length: log.partitions }, (_, partition) => ({ partition, position: '0' }));
  return {
    heads: async () => {
      known = await read(known, () => {});
      return known;
    },
    async since(heads) {
      const total: Count = { calls: 0, events: 0, appends: 0, appendsAlone: 0, transactions: 0 };
      const calls = new Set<string>();
      const transactions = new Set<string>();
      const alone = new Set<string>();
      let previous = '';
      let first = '';
      await read(heads, (partition, position, key) => {
        if (`${partition} ${position - 1}` !== previous) first = `${partition} ${position}`;
        previous = `${partition} ${position}`;
        if (key === '') return;
        total.events++;
        calls.add(key);
        transactions.add(first);
        alone.add(`${key} ${first}`);
      });
      return { ...total, calls: calls.size, appends: transactions.size, appendsAlone: alone.size };
    },
    close: () => log.close(),
  };
}

/** The journal in PostgreSQL. */
export function openJournal(url: string): Journal {
  const database = openDatabase(url);
  const db = database.withTables<Records & Places & Statistics>();
  const committed = async () => {
    const rows = await db.selectFrom('pg_stat_database').select('xact_commit').execute();
    return rows.reduce((sum, row) => sum + Number(row.xact_commit), 0);
  };
  let before = 0;
  return {
    async heads() {
      before = await committed();
      const rows = await db
        .selectFrom('log_partition')
        .select(['partition', 'position'])
        .where('topic', '=', 'calls.journal')
        .execute();
      return rows.map(({ partition, position }) => ({ partition, position: String(position) }));
    },
    async since(heads) {
      const transactions = (await committed()) - before;
      const total: Count = { calls: 0, events: 0, appends: 0, appendsAlone: 0, transactions };
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
