/**
 * A history: one real call's rows, copied by the server under other ids, times and numbers. In the journal's days, in the
 * call log, the flow log and the store of stories; and every reader stands behind it.
 */
import pg from 'pg';

const BATCH = 20_000;
const DAYS = 30;
const JOURNAL = 'calls.journal';
const PARTITIONS = 8;

export type Filling = {
  /** Of the journal, and of api. */
  journal: string;
  api: string;
  /** Whose rows are copied. */
  callId: string;
  appId: string;
  /** Calls in the logs, and how many of them also have their records in the journal. */
  calls: number;
  journaled: number;
  progress(text: string): void;
};

/** The id of the n-th call, as a uuid of no order. Its last four digits are the leg's. */
const ID = `create function pg_temp.call_id(n bigint) returns text immutable language sql as $$
  select substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-8' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || substr(h, 21, 8) || '0000'
  from (select md5('history ' || n) as h) as hashed $$`;
/** When the n-th of so many began: over the last days, the newest last. */
const AT = (n: string, calls: number) =>
  `(date_trunc('day', now() at time zone 'utc') at time zone 'utc' - interval '${DAYS - 1} days' + ${n} * interval '1 s' * ${((DAYS - 1) * 86_400) / calls})`;

async function connected<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`set synchronous_commit = off; ${ID}`);
    return await run(client);
  } finally {
    await client.end();
  }
}

async function inBatches(
  of: Filling,
  what: string,
  count: number,
  run: (from: number, to: number) => Promise<unknown>,
) {
  const began = Date.now();
  for (let from = 0; from < count; from += BATCH) {
    const to = Math.min(count, from + BATCH) - 1;
    await run(from, to);
    const seconds = (Date.now() - began) / 1000;
    if (seconds > 2) of.progress(`${what}: ${to + 1} of ${count} calls, ${Math.round((to + 1) / seconds)} a second`);
  }
}

/** The ids of some of the calls that were filled in. */
export const idsOf = (of: Filling, numbers: number[]): Promise<string[]> =>
  connected(of.api, async (client) => {
    const { rows } = await client.query('select pg_temp.call_id(n) as id from unnest($1::bigint[]) as n', [numbers]);
    return rows.map(({ id }) => id as string);
  });

/** While nothing of the platform runs but PostgreSQL. @returns records of the journal a call */
export async function fill(of: Filling): Promise<number> {
  const { ends, records } = await connected(of.journal, (client) => fillJournal(client, of));
  await connected(of.api, (client) => fillLogs(client, of, ends));
  return records;
}

async function fillJournal(client: pg.Client, of: Filling) {
  for (let ago = 1; ago < DAYS; ago++) {
    const { rows } = await client.query(`select ((now() at time zone 'utc')::date - ${ago})::text as day`);
    const day = rows[0].day as string;
    const table = `log_record_${day.replaceAll('-', '')}`;
    await client.query(`create table if not exists ${table} partition of log_record
      for values from ('${day}') to (('${day}'::date + 1))`);
  }
  await client.query(
    `create temp table template as select row_number() over (order by position) as ord, headers, bytes, key
     from log_record where topic = '${JOURNAL}' and key = '${of.callId}'`,
  );
  const { rows: counted } = await client.query('select count(*)::int as records from template');
  const records = counted[0].records as number;
  const { rows: head } = await client.query(
    `select coalesce(max(position), 0)::bigint as head from log_partition where topic = '${JOURNAL}'`,
  );
  const base = Number(head[0].head);
  // The id is the first field of each event: 36 characters from the third byte on.
  await inBatches(of, 'journal', of.journaled, (from, to) =>
    client.query(
      `insert into log_record (topic, partition, position, day, key, headers, bytes)
       select '${JOURNAL}', n % ${PARTITIONS}, ${base} + (n / ${PARTITIONS}) * ${records} + ord,
         (${AT('n', of.journaled)} at time zone 'utc')::date, id,
         replace(headers, replace(key, '-', ''), replace(id, '-', '')), overlay(bytes placing convert_to(id, 'UTF8') from 3 for 36)
       from (select n, pg_temp.call_id(n) as id from generate_series($1::bigint, $2::bigint) as n) as calls, template`,
      [from, to],
    ),
  );
  const end = base + (Math.ceil(of.journaled / PARTITIONS) + 1) * records;
  const ends = Array.from({ length: PARTITIONS }, () => end);
  await client.query(`update log_partition set position = $1, low_water = $1 where topic = $2`, [end, JOURNAL]);
  // The notifiers stand behind it, too.
  await client.query(
    `insert into log_snapshot (topic, partition, key, position, bytes)
     select 'events.public', p, 'journal', 0, convert_to(json_build_object('position', $1::bigint)::text, 'UTF8')
     from generate_series(0, ${PARTITIONS - 1}) as p
     on conflict (topic, partition, key) do update set bytes = excluded.bytes`,
    [end],
  );
  await client.query('vacuum analyze log_record');
  return { ends, records };
}

/** Every column of a table: as in the template, but for those that are said. */
async function columnsOf(client: pg.Client, table: string, said: Record<string, string>): Promise<[string, string]> {
  const { rows } = await client.query(
    'select column_name as name from information_schema.columns where table_name = $1',
    [table],
  );
  const names = rows.map(({ name }) => name as string).filter((name) => !/^(added|ended)_by$/.test(name) || said[name]);
  return [names.join(', '), names.map((name) => said[name] ?? `t.${name}`).join(', ')];
}

async function fillLogs(client: pg.Client, of: Filling, ends: number[]): Promise<void> {
  const copy = async (table: string, key: string, said: Record<string, string>) => {
    await client.query(`create temp table of_${table} as select * from ${table} where ${key} = '${of.callId}'`);
    const [names, values] = await columnsOf(client, table, said);
    await inBatches(of, table, of.calls, (from, to) =>
      client.query(
        `insert into ${table} (${names}) select ${values}
         from (select n, pg_temp.call_id(n) as id, ${AT('n', of.calls)} as began
           from generate_series($1::bigint, $2::bigint) as n) as calls, of_${table} as t`,
        [from, to],
      ),
    );
  };
  const number = (n: string) => `'1' || (2010000000 + (${n} * 7919) % 7990000000)::text`;
  await copy('call_log', 'id', {
    id: 'calls.id::uuid',
    app_id: `'${of.appId}'`,
    direction: `case when n % 3 = 0 then 'out' else 'in' end`,
    caller: number('n'),
    called: number('n / 1000'),
    created_on: 'began',
    ring_on: `began + interval '1 s'`,
    answer_on: `began + interval '3 s'`,
    hangup_on: `began + interval '60 s'`,
    ended_by: 'pg_current_xact_id()',
    view: `replace(t.view::text, '${of.callId}', calls.id)::json`,
  });
  await copy('flow_log', 'call_id', {
    call_id: 'calls.id::uuid',
    app_id: `'${of.appId}'`,
    caller: number('n'),
    own_number: number(`case when n % 3 = 0 then n else n / 1000 end`),
    success: 'n % 10 > 0',
    created_on: `began + interval '5 s'`,
  });
  // The records of the call that was copied, deflated: as long as those of another, though they name it.
  await copy('call_story', 'call_id', { call_id: 'calls.id::uuid', written_on: 'began' });
  for (const cursor of ['call_log_cursor', 'charge_cursor', 'story_cursor'])
    for (const [partition, end] of ends.entries())
      await client.query(`update ${cursor} set position = $1 where partition = $2`, [end, partition]);
  await client.query('vacuum analyze call_log');
  await client.query('vacuum analyze flow_log');
  await client.query('vacuum analyze call_story');
}
