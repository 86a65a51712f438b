/**
 * A history in api's tables: one real call's rows, copied by the server under other ids, times and numbers into the call log,
 * the flow log and the store of stories; and every reader stands behind the journal that `history-journal.ts` makes.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';

const BATCH = 20_000;
const CONNECTIONS = 4;
export const DAYS = 30;
/**
 * While a history is filled in nobody relies on it: what is lost where the machine ends is filled anew. They are put back
 * before anything is asked.
 */
const HASTY = ['fsync', 'full_page_writes'];

export type Filling = {
  /** Of the journal, and of api. */
  journal: string;
  api: string;
  /** Whose rows are copied. */
  callId: string;
  appId: string;
  /** Calls in the logs, and how many of them also have their records in the journal and their stories. */
  calls: number;
  journaled: number;
  progress(text: string): void;
};

/** The id of the n-th call: a uuid of no order, whose last four digits are the leg's. */
export function idOf(n: number): string {
  const h = createHash('md5').update(`history ${n}`).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-8${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20, 28)}0000`;
}
/** The same for the server, of `n`. */
const ID = `overlay(overlay(overlay(md5('history ' || n) placing '8' from 13) placing '8' from 17) placing '0000' from 29)::uuid`;

/** When the n-th of so many began: over the last days, the newest last, to the millisecond as all that is real. */
const momentOf = (n: string, calls: number) =>
  `date_trunc('milliseconds', date_trunc('day', now() at time zone 'utc') at time zone 'utc'
     - interval '${DAYS - 1} days' + ${n} * interval '1 s' * ${((DAYS - 1) * 86_400) / calls})`;

/** The calls from `$1` to `$2`: `n`, `id`, `began`. Each is reckoned once, however often it is named. */
export const someCalls = (calls: number) => `(select n, ${ID} as id, ${momentOf('n', calls)} as began
  from generate_series($1::bigint, $2::bigint) as n offset 0) as calls`;

export async function connected<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

/** All of `0 … count`, by some connections at once. */
export async function inBatches(
  url: string,
  { what, count, progress }: { what: string; count: number; progress(text: string): void },
  statement: string,
): Promise<void> {
  const began = Date.now();
  let next = 0;
  let done = 0;
  let toldAt = began;
  const work = (client: pg.Client) => async () => {
    while (next < count) {
      const from = next;
      const to = Math.min(count, from + BATCH) - 1;
      next = to + 1;
      await client.query(statement, [from, to]);
      done += to + 1 - from;
      if (Date.now() - toldAt < 10_000) continue;
      toldAt = Date.now();
      progress(`${what}: ${done} of ${count} calls, ${Math.round((done * 1000) / (toldAt - began))} a second`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, () => connected(url, (client) => work(client)())));
  progress(`${what}: ${count} calls in ${Math.round((Date.now() - began) / 1000)} s`);
}

/** @param run while the server may forget, if the machine ends, what it was told */
export async function hastily(url: string, run: () => Promise<void>): Promise<void> {
  const set = (to: (name: string) => string) =>
    connected(url, async (client) => {
      for (const name of HASTY) await client.query(`alter system ${to(name)}`);
      await client.query('select pg_reload_conf()');
    });
  await set((name) => `set ${name} = off`);
  await run();
  await set((name) => `reset ${name}`);
  await connected(url, (client) => client.query('checkpoint'));
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

/** Numbers of a plausible length. Whoever calls is another each time, in no order; who is called is so for a thousand calls, and no more. */
const CALLER = `'1' || (2010000000 + ('x' || md5('caller ' || n))::bit(32)::bigint)::text`;
const CALLED = `'1' || (2010000000 + n / 1000 * 7919 % 7990000000)::text`;

/** A table, how its template is found, whose rows go in turns to the calls, and what is another in each call. */
type Copy = { table: string; key: string; count: number; said: Record<string, string> };
const copiesOf = ({ callId, appId, calls, journaled }: Filling): Copy[] => [
  {
    ...{ table: 'call_log', key: 'id', count: calls },
    said: {
      id: 'calls.id',
      app_id: `'${appId}'`,
      direction: `case when n % 3 = 0 then 'out' else 'in' end`,
      caller: CALLER,
      called: CALLED,
      created_on: 'began',
      ring_on: `began + interval '1 s'`,
      answer_on: `began + interval '3 s'`,
      hangup_on: `began + interval '60 s'`,
      ended_by: 'pg_current_xact_id()',
      view: `replace(t.view::text, '${callId}', calls.id::text)::json`,
    },
  },
  {
    // One row a call: its verbs in turns.
    ...{ table: 'flow_log', key: 'call_id', count: calls },
    said: {
      call_id: 'calls.id',
      app_id: `'${appId}'`,
      caller: CALLER,
      own_number: `case when n % 3 = 0 then ${CALLER} else ${CALLED} end`,
      success: 'n % 10 > 0',
      created_on: `began + interval '5 s'`,
    },
  },
  // The records of the call that was copied, deflated: as long as those of another, though they name it.
  {
    ...{ table: 'call_story', key: 'call_id', count: journaled },
    said: { call_id: 'calls.id', written_on: 'began' },
  },
];

/** While nothing of the platform runs but PostgreSQL. @param ends where each partition of the journal ends */
export async function fillLogs(of: Filling, ends: number[]): Promise<void> {
  for (const { table, key, count, said } of copiesOf(of)) {
    const template = `template_of_${table}`;
    const [names, values] = await connected(of.api, async (client) => {
      await client.query(`create unlogged table ${template} as
        select *, row_number() over () - 1 as turn, count(*) over () as turns from ${table} where ${key} = '${of.callId}'`);
      return columnsOf(client, table, said);
    });
    await inBatches(
      of.api,
      { what: table, count, progress: of.progress },
      `insert into ${table} (${names}) select ${values}
       from ${someCalls(of.calls)} join ${template} as t on t.turn = n % t.turns`,
    );
    await connected(of.api, (client) => client.query(`drop table ${template}`));
  }
  await connected(of.api, async (client) => {
    for (const cursor of ['call_log_cursor', 'charge_cursor', 'story_cursor'])
      for (const [partition, end] of ends.entries())
        await client.query(`update ${cursor} set position = $1 where partition = $2`, [end, partition]);
    // Whoever is measured makes as many calls as it likes.
    await client.query('update account set calls_max = 1000000, dials_per_minute_max = 1000000');
    for (const { table } of copiesOf(of)) await client.query(`vacuum analyze ${table}`);
  });
}
