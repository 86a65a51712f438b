/**
 * The log in PostgreSQL, which several processes share. Order within a partition comes from the partition's own row,
 * never from a serial (it loses rows) nor from transaction visibility (any open transaction would stop everything).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '@opentact/runtime';
import type pg from 'pg';
import { connectAlone, createPool, reaching } from './connections.ts';
import type { EventLog, LogRecord, Snapshot } from './port.ts';
import { createCommitter } from './postgres-committer.ts';
import { postgresRegistryStore } from './postgres-registry.ts';
import { postgresTail, type Tail } from './postgres-tail.ts';
import { postgresWriter, TAKE } from './postgres-writer.ts';
import { createRegistry } from './registry.ts';
import { migrate } from './schema.ts';

const PARTITIONS = 8;
const PAGE = 256;
const READ_AGAIN_MS = 100;
/** One for the appends of the process, which share a statement; the others for partitions that are taken meanwhile. */
const WRITERS = 3;
const MIGRATE_EVERY_MS = 6 * 3_600_000;
const MIGRATE_MS_MAX = 30_000;

// `order by position` would mean the cast column here, which no index can give in order.
const COLUMNS = 'position::float8 as position, key, headers, bytes';

type Row = { position: number; key: string; headers: string; bytes: Buffer };
const recordOf = (row: Row): LogRecord => ({ ...row, headers: JSON.parse(row.headers) });

/** Reads pages until one is short. `next` gives the page after a position. */
async function* paged(from: number, next: (position: number) => Promise<LogRecord[]>): AsyncGenerator<LogRecord> {
  for (let position = from; ; ) {
    const records = await next(position);
    yield* records;
    if (records.length < PAGE) return;
    position = records.at(-1)!.position;
  }
}

/** How the tables are read. Everything fails as `unavailable`. */
function createReader(pool: pg.Pool) {
  const query = async (name: string, text: string, values: unknown[]) =>
    (await reaching(name, () => pool.query({ name, text, values }))).rows;

  const headOf = async (topic: string, partition: number, column: 'position' | 'low_water'): Promise<number> => {
    const text = `select ${column}::float8 as value from log_partition where topic = $1 and partition = $2`;
    return (await query(`head-${column}`, text, [topic, partition]))[0]?.value ?? 0;
  };
  const records = async (...asked: Parameters<typeof query>): Promise<LogRecord[]> =>
    (await query(...asked)).map(recordOf);
  const page = (topic: string, partition: number, after: number, upTo = Number.MAX_SAFE_INTEGER) =>
    records(
      'page',
      `select ${COLUMNS} from log_record where topic = $1 and partition = $2 and position > $3 and position <= $4
         order by log_record.position limit ${PAGE}`,
      [topic, partition, after, upTo],
    );
  const pageOfKey = (topic: string, key: string, after: number) =>
    records(
      'page-of-key',
      `select ${COLUMNS} from log_record where topic = $1 and key = $2 and position > $3
         order by log_record.position limit ${PAGE}`,
      [topic, key, after],
    );
  const pageOfSnapshots = (topic: string, partition: number, afterKey: string): Promise<Snapshot[]> =>
    query(
      'page-of-snapshots',
      `select key, position::float8 as position, bytes from log_snapshot
         where topic = $1 and partition = $2 and key > $3 order by key limit ${PAGE}`,
      [topic, partition, afterKey],
    );
  const ping = () => query('ping', 'select 1', []);
  return { headOf, page, pageOfKey, pageOfSnapshots, ping };
}

/**
 * What a partition holds and will hold, in order: what this process appends comes from its memory, the rest is read; a
 * failed reading is tried again.
 */
function createFollow(reader: ReturnType<typeof createReader>, tail: Tail): EventLog['follow'] {
  return async function* follow(topic: string, partition: number, from: number, signal: AbortSignal, everyMs = 0) {
    const follower = tail.follow(topic, partition, signal);
    let position = from;
    let isRead = false; // up to what it was known to reach
    try {
      while (!signal.aborted) {
        const fed = follower.fed(position);
        const head = follower.head();
        if (fed.length === 0 && isRead && head <= position) {
          await follower.grown(position);
          if (everyMs > 0) await sleep(everyMs - (Date.now() % everyMs), undefined, { signal }).catch(() => {});
          continue;
        }
        const rows = fed.length > 0 ? fed : await reader.page(topic, partition, position).catch(() => undefined);
        for (const record of rows ?? []) {
          if (signal.aborted) break;
          position = record.position;
          yield record;
        }
        // What was there up to the head known before is gone: its day was dropped.
        if (rows?.length === 0) position = Math.max(position, head);
        isRead = rows !== undefined && (fed.length > 0 || rows.length < PAGE);
        if (!rows) await sleep(READ_AGAIN_MS);
      }
    } finally {
      follower.stop();
    }
  };
}

/** Keeps the tables of the days ahead in being. A machine that slept for a week finds them missing when it wakes. */
function createSchemaKeeper(url: string, retainDays: number) {
  /** Another database, or the same one made anew, is another log. */
  let bornAt = '';
  let keptAt = Number.NEGATIVE_INFINITY;
  async function keep(): Promise<void> {
    if (Date.now() - keptAt < MIGRATE_EVERY_MS) return;
    const client = await connectAlone(url, 'opentact log schema', MIGRATE_MS_MAX, () => {});
    try {
      await migrate(client, retainDays);
      const { rows } = await client.query(
        'select extract(epoch from at)::text as at from log_migration where step = 1',
      );
      bornAt = rows[0].at;
      keptAt = Date.now();
    } finally {
      await client.end();
    }
  }
  // A failure is tried again at the next turn, and by whoever takes a partition.
  const timer = setInterval(() => void keep().catch(() => {}), MIGRATE_EVERY_MS / 6).unref();
  /** When its tables were made, once `keep` has resolved. */
  return { keep, bornAt: () => bornAt, stop: () => clearInterval(timer) };
}

/**
 * Opens the log at a database, whose tables it makes where they are missing.
 * @param options.partitions fixed at birth; only tests choose another number.
 * @throws LogError `unavailable` where the database can't be had within 15 s.
 */
export async function postgresLog(options: {
  url: string;
  retainDays?: number;
  partitions?: number;
}): Promise<EventLog> {
  const { url, retainDays = 30, partitions = PARTITIONS } = options;
  const schema = createSchemaKeeper(url, retainDays);
  await reaching('open the log', () => retry(schema.keep, { tries: 20, firstMs: 100, maxMs: 1000 })).catch((error) => {
    schema.stop();
    throw error;
  });
  const writes = createPool(url, WRITERS, 'opentact log writer');
  const reads = createPool(url, 4, 'opentact log reader');
  const reader = createReader(reads);
  const committer = createCommitter(writes);
  const tail = postgresTail(url, reads);
  const registry = createRegistry(postgresRegistryStore(url));
  let closing: Promise<unknown> | undefined;

  return {
    partitions,
    id: `postgres ${schema.bornAt()}`,
    indexesKeys: true,
    registry,
    take: (topic, partition) =>
      reaching(`take ${topic}/${partition}`, async () => {
        if (partition < 0 || partition >= partitions) throw new RangeError(`partition ${partition} of ${partitions}`);
        await schema.keep();
        const { rows } = await writes.query({ name: 'take', text: TAKE, values: [topic, partition] });
        const place = { topic, partition, epoch: rows[0].epoch as number };
        return postgresWriter({ ...place, committer, reads }, tail.grew.bind(tail, topic, partition));
      }),
    async *replay(topic, partition, position) {
      const head = await reader.headOf(topic, partition, 'position');
      yield* paged(position, (after) => reader.page(topic, partition, after, head));
    },
    async *snapshots(topic, partition) {
      for (let after = ''; ; ) {
        const page = await reader.pageOfSnapshots(topic, partition, after);
        yield* page;
        if (page.length < PAGE) return;
        after = page.at(-1)!.key;
      }
    },
    lowWater: (topic, partition) => reader.headOf(topic, partition, 'low_water'),
    readKey: (topic, key, position = 0) => paged(position, (after) => reader.pageOfKey(topic, key, after)),
    follow: createFollow(reader, tail),
    async ping() {
      await reader.ping();
    },
    close() {
      schema.stop();
      closing ??= tail
        .close()
        .then(() => registry.close())
        .then(() => Promise.all([writes.end(), reads.end()]));
      return closing.then(() => undefined);
    },
  };
}
