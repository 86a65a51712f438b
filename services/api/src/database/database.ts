/** api's own database: what its tables hold, a bounded pool, the steps that make the tables. */
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';

export type Tables = {
  account: { id: string; name: string; calls_max: number; dials_per_minute_max: number };
  person: { email: string; account_id: string; password_hash: string };
  api_key: { digest: Buffer; account_id: string };
  app: {
    id: string;
    account_id: string;
    name: string;
    auto_answer: boolean;
    call_flow_url: string;
    call_flow_method: string;
    call_flow_timeout_ms: number;
    static_document: string;
    max_call_length_ms: number;
    signing_key: Buffer;
  };
  number: { number: string; account_id: string; app_id: string };
  /** `caller`: digits, a trailing `*` stands for any rest. */
  screening: { number: string; list: 'blacklist' | 'whitelist'; caller: string };
  /** `account_id` null: for every account without a trunk of its own. */
  trunk: {
    id: string;
    account_id: string | null;
    host: string;
    port: number;
    transport: string;
    user: string;
    password: string;
  };
  staged_document: {
    user: string;
    xml: string;
    auto_answer: boolean;
    expires_at: Date;
    used_by: string | null;
    used_at: Date | null;
  };
};

export type Database = Kysely<Tables>;

const MIGRATIONS: Record<string, Migration> = {
  '001-directory': {
    async up(db) {
      await sql`
        create table account (
          id uuid primary key,
          name text not null,
          calls_max int not null default 100 check (calls_max > 0),
          dials_per_minute_max int not null default 60 check (dials_per_minute_max > 0)
        )`.execute(db);
      await sql`
        create table person (
          email text primary key,
          account_id uuid not null references account,
          password_hash text not null
        )`.execute(db);
      await sql`create table api_key (digest bytea primary key, account_id uuid not null references account)`.execute(
        db,
      );
      await sql`
        create table app (
          id uuid primary key,
          account_id uuid not null references account,
          name text not null,
          auto_answer boolean not null default false,
          call_flow_url text not null default '',
          call_flow_method text not null default 'GET' check (call_flow_method in ('GET', 'POST')),
          call_flow_timeout_ms int not null default 0,
          static_document text not null default '' check (octet_length(static_document) <= 65536),
          max_call_length_ms int not null default 14400000,
          signing_key bytea not null
        )`.execute(db);
      await sql`
        create table number (
          number text primary key check (number ~ '^[0-9]{3,20}$'),
          account_id uuid not null references account,
          app_id uuid not null references app
        )`.execute(db);
      await sql`create index number_account on number (account_id)`.execute(db);
      await sql`
        create table screening (
          number text not null references number on delete cascade,
          list text not null check (list in ('blacklist', 'whitelist')),
          caller text not null,
          primary key (number, list, caller)
        )`.execute(db);
      await sql`
        create table trunk (
          id text primary key,
          account_id uuid references account,
          host text not null,
          port int not null check (port between 1 and 65535),
          transport text not null check (transport in ('udp', 'tcp')),
          "user" text not null,
          password text not null
        )`.execute(db);
      await sql`
        create table staged_document (
          "user" text primary key,
          xml text not null check (octet_length(xml) <= 65536),
          auto_answer boolean not null,
          expires_at timestamptz not null,
          used_by text,
          used_at timestamptz
        )`.execute(db);
    },
  },
};

const POOL_MAX = 8;
const STATEMENT_MS = 2000;

/** Opens the database; nothing is asked of it yet. */
export function openDatabase(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_MAX,
    connectionTimeoutMillis: STATEMENT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + 500,
    application_name: 'opentact api',
  });
  pool.on('error', () => {}); // An idle connection broke; the next question opens another.
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** Brings the tables up to date; safe from several processes at once. @throws what the database said. */
export async function migrate(database: Database): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
