/**
 * The appends of one process to PostgreSQL. One statement is under way at a time; the appends of all partitions that
 * arrived meanwhile are the next one, so that the cost of a commit is shared by whoever waits for it.
 */
import pg from 'pg';
import type { Batch } from './port.ts';

/** A place to append to, under the epoch of its writer. */
export type Place = { topic: string; partition: number; epoch: number };

type Waiting = { place: Place; batch: Batch; bytes: number; answer: PromiseWithResolvers<number | undefined> };

/** What one statement holds, unless a single append is larger. */
const APPENDS_MAX = 64;
const BYTES_MAX = 4 * 1024 * 1024;

// The rows of the partitions are locked in one order by everybody, or two processes that hand partitions over could wait
// for each other. Whoever holds a row does so until commit: appends of a partition are visible in their order, and a
// taking waits for the append under way and then fences the next.
const OWN = `with given as materialized (
  select * from unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::bigint[]) with ordinality
    as g(topic, partition, epoch, count, low_water, place)
), locked as materialized (
  select g.place from log_partition p join given g on p.topic = g.topic and p.partition = g.partition and p.epoch = g.epoch
  order by p.topic, p.partition for update of p
), own as (
  update log_partition p set position = p.position + g.count, low_water = greatest(p.low_water, g.low_water)
  from given g join locked using (place)
  where p.topic = g.topic and p.partition = g.partition and p.epoch = g.epoch
  returning p.topic, p.partition, p.position - g.count as base, p.position, g.place
), records as (
  insert into log_record (topic, partition, position, key, headers, bytes)
  select own.topic, own.partition, own.base + r.nth, r.key, r.headers, substring($6::bytea from r.start for r.length)
  from own join unnest($7::int[], $8::int[], $9::text[], $10::text[], $11::int[], $12::int[])
    as r(place, nth, key, headers, start, length) using (place)
)`;
const SNAPSHOTS = `, snapshots as (
  insert into log_snapshot (topic, partition, key, position, bytes)
  select own.topic, own.partition, s.key, own.position, substring($6::bytea from s.start for s.length)
  from own join unnest($13::int[], $14::text[], $15::int[], $16::int[]) as s(place, key, start, length) using (place)
  on conflict (topic, partition, key) do update set position = excluded.position, bytes = excluded.bytes
), tombstones as (
  delete from log_snapshot l using own join unnest($17::int[], $18::text[]) as d(place, key) using (place)
  where l.topic = own.topic and l.partition = own.partition and l.key = d.key
)`;
const ANSWER = ' select place::int as place, position::float8 as position from own';

/** All payloads lie in one parameter, which travels as it is; arrays of bytea would travel as text, twice as long. */
function packer() {
  const parts: Uint8Array[] = [];
  let length = 0;
  return {
    place(bytes: Uint8Array): [start: number, length: number] {
      const start = length + 1;
      parts.push(bytes);
      length += bytes.byteLength;
      return [start, bytes.byteLength];
    },
    bytes: () => Buffer.concat(parts, length),
  };
}

/** The columns of rows. */
const columns = (rows: readonly unknown[][], count: number) =>
  Array.from({ length: count }, (_, at) => rows.map((row) => row[at]));

function statement(appends: readonly Pick<Waiting, 'place' | 'batch'>[]): pg.QueryConfig {
  const pack = packer();
  const places: unknown[][] = [];
  const records: unknown[][] = [];
  const kept: unknown[][] = [];
  const dead: unknown[][] = [];
  for (const [index, { place: at, batch }] of appends.entries()) {
    const { topic, partition, epoch } = at;
    const place = index + 1;
    places.push([topic, partition, epoch, batch.records.length, batch.lowWater ?? 0]);
    for (const [n, { key, headers, bytes }] of batch.records.entries())
      records.push([place, n + 1, key, JSON.stringify(headers), ...pack.place(bytes)]);
    // One statement may not touch a row twice: the newest entry of a key counts.
    for (const [key, bytes] of new Map((batch.snapshots ?? []).map((s) => [s.key, s.bytes])))
      if (bytes === null) dead.push([place, key]);
      else kept.push([place, key, ...pack.place(bytes)]);
  }
  const values = [...columns(places, 5), pack.bytes(), ...columns(records, 6)];
  if (kept.length + dead.length === 0) return { name: 'append', text: OWN + ANSWER, values };
  const all = [...values, ...columns(kept, 4), ...columns(dead, 2)];
  return { name: 'append-with-snapshots', text: OWN + SNAPSHOTS + ANSWER, values: all };
}

const sizeOf = ({ records, snapshots = [] }: Batch): number =>
  records.reduce((sum, { bytes }) => sum + bytes.byteLength, 0) +
  snapshots.reduce((sum, { bytes }) => sum + (bytes?.byteLength ?? 0), 0);

export type Committer = {
  /** The keys whose part of a refused batch the server refuses by itself; nothing is written. */
  refusedKeys(place: Place, batch: Batch): Promise<string[]>;
  /**
   * Appends all of the batch or nothing. At most one append of a place waits or is under way.
   * @returns the position of its last record; undefined where another epoch owns the place
   * @throws Error of the server or of the way to it: whether it was appended is not known, unless the server refused it
   */
  append(place: Place, batch: Batch): Promise<number | undefined>;
};

/** Written and taken back. */
async function wouldRefuse(pool: pg.Pool, place: Place, batch: Batch): Promise<boolean> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(statement([{ place, batch }]));
    return false;
  } catch (error) {
    if (isRefusedData(error)) return true;
    throw error;
  } finally {
    await client.query('rollback').finally(() => client.release());
  }
}

export function createCommitter(pool: pg.Pool): Committer {
  const waiting: Waiting[] = [];
  let isRunning = false;

  /** Takes what fits into one statement. */
  function next(): Waiting[] {
    let bytes = 0;
    const found = waiting.findIndex((one, n) => {
      bytes += one.bytes;
      return n > 0 && (n >= APPENDS_MAX || bytes > BYTES_MAX);
    });
    return waiting.splice(0, found === -1 ? waiting.length : found);
  }
  async function commit(appends: Waiting[]): Promise<void> {
    try {
      const { rows } = await pool.query<{ place: number; position: number }>(statement(appends));
      const positions = new Map(rows.map(({ place, position }) => [place, position]));
      for (const [n, { answer }] of appends.entries()) answer.resolve(positions.get(n + 1));
    } catch (error) {
      // Where the server said that it wrote nothing, each place by itself finds out whose fault that is.
      if (appends.length > 1 && wroteNothing(error)) for (const one of appends) await commit([one]);
      else for (const { answer } of appends) answer.reject(error);
      // What waits would wait as long for a server that can't be reached, one after the other.
      if (codeOf(error) === '') for (const { answer } of waiting.splice(0)) answer.reject(error);
    }
  }
  async function run(): Promise<void> {
    isRunning = true;
    // What else this turn of the event loop brings goes along.
    await new Promise(setImmediate);
    while (waiting.length > 0) await commit(next());
    isRunning = false;
  }
  return {
    async refusedKeys(place, { records, snapshots = [] }) {
      const keys = new Set([...records, ...snapshots].map(({ key }) => key));
      const found: string[] = [];
      for (const key of keys) {
        const part = {
          records: records.filter((r) => r.key === key),
          snapshots: snapshots.filter((s) => s.key === key),
        };
        if (await wouldRefuse(pool, place, part)) found.push(key);
      }
      return found;
    },
    append(place, batch) {
      const answer = Promise.withResolvers<number | undefined>();
      waiting.push({ place, batch, bytes: sizeOf(batch), answer });
      if (!isRunning) void run();
      return answer.promise;
    },
  };
}

/** SQLSTATE of what the server answered; empty where it answered nothing. */
const codeOf = (error: unknown): string => (error instanceof pg.DatabaseError && error.code) || '';

/** It answered with an error of the statement's own: not of the connection, its resources, an operator, or unknown. */
const wroteNothing = (error: unknown): boolean => {
  const code = codeOf(error);
  return code !== '' && !/^(08|53|57|40003)/.test(code);
};

/** The server read the statement and can't keep what it holds (SQLSTATE classes 22, 23 and 54): nothing was written. */
export function isRefusedData(error: unknown): boolean {
  return /^(22|23|54)/.test(codeOf(error));
}
