/**
 * Appends to one partition in PostgreSQL: one statement moves the partition's row, writes the records, the snapshots
 * and the low-water mark, or does nothing at all because the epoch has moved on.
 */
import type pg from 'pg';
import { reaching } from './connections.ts';
import { type Batch, LogError, type Writer } from './port.ts';

// The update comes first and holds the row until commit: appends of a partition are visible in their order, and a
// taking waits for the append in flight and then fences the next.
const OWN = `with own as (
  update log_partition set position = position + $4, low_water = greatest(low_water, $5)
  where topic = $1 and partition = $2 and epoch = $3
  returning position - $4 as base, position
), records as (
  insert into log_record (topic, partition, position, key, headers, bytes)
  select $1, $2, own.base + r.ord, r.key, r.headers, substring($6::bytea from r.start for r.length)
  from own, unnest($7::text[], $8::text[], $9::int[], $10::int[]) with ordinality as r(key, headers, start, length, ord)
)`;
const SNAPSHOTS = `, snapshots as (
  insert into log_snapshot (topic, partition, key, position, bytes)
  select $1, $2, s.key, own.position, substring($6::bytea from s.start for s.length)
  from own, unnest($11::text[], $12::int[], $13::int[]) as s(key, start, length)
  on conflict (topic, partition, key) do update set position = excluded.position, bytes = excluded.bytes
), tombstones as (
  delete from log_snapshot using own where topic = $1 and partition = $2 and key = any($14::text[])
)`;
const ANSWER = ' select position::float8 as position from own';

export const TAKE = `insert into log_partition (topic, partition, epoch) values ($1, $2, 1)
  on conflict (topic, partition) do update set epoch = log_partition.epoch + 1 returning epoch::float8 as epoch`;

/** All payloads lie in one parameter, which travels as it is; arrays of bytea would travel as text, twice as long. */
function packer() {
  const parts: Uint8Array[] = [];
  let length = 0;
  return {
    place(bytes: Uint8Array): { start: number; length: number } {
      const place = { start: length + 1, length: bytes.byteLength };
      parts.push(bytes);
      length += bytes.byteLength;
      return place;
    },
    bytes: () => Buffer.concat(parts, length),
  };
}

function statement(topic: string, partition: number, epoch: number, batch: Batch): pg.QueryConfig {
  const pack = packer();
  const places = batch.records.map((record) => pack.place(record.bytes));
  // One statement may not touch a row twice: the newest entry of a key counts.
  const newest = [...new Map((batch.snapshots ?? []).map((s) => [s.key, s.bytes]))];
  const kept = newest.flatMap(([key, bytes]) => (bytes === null ? [] : [{ key, ...pack.place(bytes) }]));
  const dead = newest.flatMap(([key, bytes]) => (bytes === null ? [key] : []));
  const values: unknown[] = [topic, partition, epoch, batch.records.length, batch.lowWater ?? 0, pack.bytes()];
  values.push(
    batch.records.map((r) => r.key),
    batch.records.map((r) => JSON.stringify(r.headers)),
    places.map((p) => p.start),
    places.map((p) => p.length),
  );
  if (newest.length === 0) return { name: 'append', text: OWN + ANSWER, values };
  values.push(
    kept.map((k) => k.key),
    kept.map((k) => k.start),
    kept.map((k) => k.length),
    dead,
  );
  return { name: 'append-with-snapshots', text: OWN + SNAPSHOTS + ANSWER, values };
}

/** @param appended called after each append that holds records, with the position of its last one. */
export function postgresWriter(
  of: { topic: string; partition: number; epoch: number; writes: pg.Pool; reads: pg.Pool },
  appended: (position: number) => void,
): Writer {
  const { topic, partition, epoch } = of;
  const place = `${topic}/${partition} epoch ${epoch}`;
  let state: 'idle' | 'in flight' | 'fenced' | 'unavailable' = 'idle';

  async function write(batch: Batch): Promise<number> {
    const { rows } = await of.writes.query(statement(topic, partition, epoch, batch));
    if (rows.length === 0) throw new LogError('fenced', `${place}: another epoch owns it`);
    if (batch.records.length > 0) appended(rows[0].position);
    return rows[0].position;
  }
  return {
    topic,
    partition,
    epoch,
    async append(batch) {
      if (state === 'in flight') throw new Error(`${place}: two appends at once`);
      // After an unknown outcome nothing may follow under this epoch: it could land before or after what was lost.
      if (state !== 'idle') throw new LogError(state, `${place}: was ${state} before`);
      state = 'in flight';
      try {
        const position = await reaching(`append to ${place}`, () => write(batch));
        state = 'idle';
        return position;
      } catch (error) {
        state = error instanceof LogError ? error.code : 'unavailable';
        throw error;
      }
    },
    check: () =>
      reaching(`check ${place}`, async () => {
        const text = 'select epoch = $3 as mine from log_partition where topic = $1 and partition = $2';
        const { rows } = await of.reads.query({ name: 'check', text, values: [topic, partition, epoch] });
        return rows[0]?.mine === true;
      }),
    async release() {
      state = 'fenced';
    },
  };
}
