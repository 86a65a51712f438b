/**
 * A history in the journal: one real call's records under other ids. In PostgreSQL the server copies them into the tables of
 * the last days; Kafka has them by the platform's own writer, in transactions as an engine's, only longer ones.
 */
import type { EventLog, NewRecord } from '@opentact/event-log';
import { partitionOf } from '@opentact/runtime';
import { connected, DAYS, type Filling, idOf, inBatches, someCalls } from './history-fill.ts';

const JOURNAL = 'calls.journal';
const PUBLIC = 'events.public';
const PARTITIONS = 8;
/** Calls at once into Kafka, over all partitions. */
const CALLS_AT_ONCE = 3_000;
/** The id is the first field of each event: behind its tag and its length. */
const ID_AT = 2;
const TOLD_EVERY_MS = 10_000;

/** @returns where each partition ends */
export async function fillJournal(of: Filling): Promise<number[]> {
  const { records, base } = await connected(of.journal, async (client) => {
    for (let ago = 1; ago < DAYS; ago++) {
      const { rows } = await client.query(`select ((now() at time zone 'utc')::date - ${ago})::text as day`);
      const day = rows[0].day as string;
      const table = `log_record_${day.replaceAll('-', '')}`;
      await client.query(`create table if not exists ${table} partition of log_record
        for values from ('${day}') to (('${day}'::date + 1))`);
    }
    await client.query(
      `create unlogged table template_of_record as
         select row_number() over (order by position) as ord, headers, bytes, replace(key, '-', '') as trace
         from log_record where topic = '${JOURNAL}' and key = '${of.callId}'`,
    );
    const { rows: counted } = await client.query('select count(*)::int as records from template_of_record');
    const { rows: head } = await client.query(
      `select coalesce(max(position), 0)::float8 as head from log_partition where topic = '${JOURNAL}'`,
    );
    return { records: counted[0].records as number, base: head[0].head as number };
  });
  await inBatches(
    of.journal,
    { what: 'journal', count: of.journaled, progress: of.progress },
    `insert into log_record (topic, partition, position, day, key, headers, bytes)
     select '${JOURNAL}', n % ${PARTITIONS}, ${base} + (n / ${PARTITIONS}) * ${records} + ord,
       (began at time zone 'utc')::date, id::text,
       replace(headers, trace, replace(id::text, '-', '')), overlay(bytes placing convert_to(id::text, 'UTF8') from ${ID_AT + 1} for 36)
     from ${someCalls(of.journaled)}, template_of_record`,
  );
  const end = base + (Math.ceil(of.journaled / PARTITIONS) + 1) * records;
  await connected(of.journal, async (client) => {
    await client.query(`update log_partition set position = $1, low_water = $1 where topic = $2`, [end, JOURNAL]);
    await client.query('drop table template_of_record');
    await client.query('vacuum analyze log_record');
  });
  return Array.from({ length: PARTITIONS }, () => end);
}

/** The same in Kafka. @returns where each partition ends */
export async function fillKafka(log: EventLog, of: Filling): Promise<number[]> {
  const template: NewRecord[] = [];
  for await (const { headers, bytes } of log.readKey(JOURNAL, of.callId)) template.push({ key: '', headers, bytes });
  const writers = await Promise.all(
    Array.from({ length: log.partitions }, (_, partition) => log.take(JOURNAL, partition)),
  );
  const began = Date.now();
  let toldAt = began;
  for (let from = 0; from < of.journaled; from += CALLS_AT_ONCE) {
    const count = Math.min(CALLS_AT_ONCE, of.journaled - from);
    const ids = Array.from({ length: count }, (_, n) => idOf(from + n));
    const appends = [...Map.groupBy(ids, (id) => partitionOf(id, log.partitions))].map(([partition, some]) =>
      writers[partition]!.append({ records: some.flatMap((id) => recordsOf(template, of.callId, id)) }),
    );
    await Promise.all(appends);
    if (Date.now() - toldAt < TOLD_EVERY_MS) continue;
    toldAt = Date.now();
    const rate = Math.round(((from + count) * 1000) / (toldAt - began));
    of.progress(`journal: ${from + count} of ${of.journaled} calls, ${rate} a second`);
  }
  of.progress(`journal: ${of.journaled} calls in ${Math.round((Date.now() - began) / 1000)} s`);
  const ends: number[] = [];
  for (const writer of writers) {
    // Everything in it is over.
    const end = await writer.append({ records: [] });
    await writer.append({ records: [], lowWater: end });
    await writer.release();
    ends.push(end);
  }
  return ends;
}

function recordsOf(template: NewRecord[], of: string, id: string): NewRecord[] {
  const [before, now] = [of.replaceAll('-', ''), id.replaceAll('-', '')];
  return template.map(({ headers, bytes }) => {
    const own = Buffer.from(bytes);
    own.write(id, ID_AT);
    return { key: id, headers: { ...headers, traceparent: headers.traceparent!.replace(before, now) }, bytes: own };
  });
}

/** The notifiers stand behind the journal, too. */
export async function passPublic(log: EventLog, ends: number[]): Promise<void> {
  for (const [partition, position] of ends.entries()) {
    const writer = await log.take(PUBLIC, partition);
    await writer.append({
      records: [],
      snapshots: [{ key: 'journal', bytes: Buffer.from(JSON.stringify({ position })) }],
    });
    await writer.release();
  }
}
