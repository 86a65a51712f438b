/**
 * The tables of the log and how they come to be. Records lie in one table per day, so that old ones go by dropping a
 * table. It refuses to change a step that was ever released: a new step is added instead.
 */
import type { ClientBase } from 'pg';

/** Key of the advisory lock under which one process at a time changes the schema. */
const MIGRATION_LOCK = 7_316_201;
const DAYS_AHEAD = 3;

const STEPS = [
  `create table log_partition (
     topic text not null,
     partition int not null,
     epoch bigint not null,
     position bigint not null default 0,
     low_water bigint not null default 0,
     primary key (topic, partition)
   ) with (fillfactor = 20);

   create table log_record (
     topic text not null,
     partition int not null,
     position bigint not null,
     day date not null default (now() at time zone 'utc')::date,
     key text not null,
     headers text not null,
     bytes bytea not null,
     primary key (topic, partition, position, day)
   ) partition by range (day);
   create index log_record_key on log_record (topic, key, position);

   create table log_snapshot (
     topic text not null,
     partition int not null,
     key text not null,
     position bigint not null,
     bytes bytea not null,
     primary key (topic, partition, key)
   );

   create table log_node (
     name text primary key,
     boot text not null,
     kind text not null,
     address text not null,
     load_percent int not null,
     beats bigint not null,
     beat_at timestamptz not null,
     withdrawn boolean not null
   ) with (fillfactor = 20);`,
];

const dayName = (day: Date) => day.toISOString().slice(0, 10);
const dayAfter = (day: Date, days: number) => new Date(day.getTime() + days * 86_400_000);

/** Makes the tables of today and the days ahead where they are missing. The day is the server's, in UTC. */
async function ensureDays(client: ClientBase): Promise<void> {
  const { rows } = await client.query(`select (now() at time zone 'utc')::date::text as today`);
  const today = new Date(`${rows[0].today}T00:00:00Z`);
  for (let ahead = 0; ahead <= DAYS_AHEAD; ahead++) {
    const [from, to] = [dayName(dayAfter(today, ahead)), dayName(dayAfter(today, ahead + 1))];
    const table = `log_record_${from.replaceAll('-', '')}`;
    const found = await client.query('select to_regclass($1) as found', [table]);
    if (found.rows[0].found) continue;
    // Made apart and then attached: attaching lets readers and the appends of other days go on.
    await client.query(`create table ${table} (like log_record including defaults including constraints);
      alter table log_record attach partition ${table} for values from ('${from}') to ('${to}')`);
  }
}

/** Drops the tables of days that ended more than `retainDays` ago. */
async function dropOldDays(client: ClientBase, retainDays: number): Promise<void> {
  const { rows } = await client.query(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'log_record'::regclass
       and inhrelid::regclass::text < 'log_record_' || to_char((now() at time zone 'utc')::date - $1::int, 'YYYYMMDD')`,
    [retainDays],
  );
  // Dropping wants the whole table for a moment: better not today than everyone waiting behind us.
  await client.query(`set lock_timeout = '200ms'`);
  for (const { name } of rows) await client.query(`drop table ${name}`).catch(() => {});
}

/** Brings the schema up to date, makes the days ahead, drops days past keeping. Safe from many processes at once. */
export async function migrate(client: ClientBase, retainDays: number): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
  try {
    await client.query('create table if not exists log_migration (step int primary key, at timestamptz default now())');
    const { rows } = await client.query('select coalesce(max(step), 0)::int as done from log_migration');
    for (let step = rows[0].done; step < STEPS.length; step++) {
      await client.query(`begin; ${STEPS[step]}; insert into log_migration (step) values (${step + 1}); commit`);
    }
    await ensureDays(client);
    await dropOldDays(client, retainDays);
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    await client.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => {});
  }
}
