/** api's own database: what its tables hold, and a bounded pool. */
import { type Generated, Kysely, PostgresDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { markAway } from './away.ts';
import type { CallTables } from './call-tables.ts';
import type { LogTables } from './log-tables.ts';
import { migrations } from './migrations.ts';
import type { MoneyTables } from './money-tables.ts';
import type { PeopleTables, PersonMore } from './people-tables.ts';
import type { SipTables } from './sip-tables.ts';

type Stamps = { created_on: Generated<Date>; modified_on: Generated<Date> };

export type Tables = {
  /** `time_zone`: IANA name. */
  account: {
    id: string;
    name: string;
    calls_max: number;
    dials_per_minute_max: number;
    time_zone: Generated<string>;
    email: Generated<string>;
    level: Generated<string>;
    /** A decimal as text. */
    balance: Generated<string>;
    /** Signs what is asked of a customer's server for a call that no app runs. */
    signing_key: Generated<Buffer>;
    deleted_on: Date | null;
    phone: Generated<string | null>;
    address1: Generated<string | null>;
    address2: Generated<string | null>;
    zip_code: Generated<string | null>;
    city: Generated<string | null>;
  } & Stamps;
  person: {
    id: Generated<string>;
    email: string;
    account_id: string;
    password_hash: string;
    role: Generated<string>;
    first_name: string | null;
    last_name: string | null;
    phone_number: string | null;
    gender: string | null;
    dob: string | null;
    avatar: string | null;
    deleted_on: Date | null;
  } & Stamps &
    PersonMore;
  /** Only the SHA-256 of a key is kept. */
  api_key: {
    id: Generated<string>;
    digest: Buffer;
    account_id: string;
    person_id: string | null;
    name: Generated<string>;
    expires_on: Generated<Date>;
  } & Stamps;
  /** What every process of an installation shares: the key of log-in tokens. */
  secret: { name: string; value: Buffer };
  app: {
    id: string;
    account_id: string;
    name: string;
    is_active: Generated<boolean>;
    auto_answer: Generated<boolean>;
    webhook_url: Generated<string>;
    webhook_method: Generated<string>;
    webhook_timeout_ms: Generated<number>;
    call_flow_url: Generated<string>;
    call_flow_method: Generated<string>;
    call_flow_timeout_ms: Generated<number>;
    static_document: Generated<string>;
    max_call_length_ms: Generated<number>;
    silence_ms: Generated<number | null>;
    rtp_from_anywhere: Generated<boolean>;
    signing_key: Buffer;
  } & Stamps;
  /** Where calls of a number go, an app or a connection; a number that points nowhere has no row. */
  number: { number: string; account_id: string; app_id: string | null; connection_id: Generated<string | null> };
  /** Numbers that can be leased. `demo`: made by a first start. */
  inventory: {
    tn: string;
    country: string;
    state: Generated<string>;
    city: Generated<string>;
    rate_center: Generated<string>;
    kind: Generated<string>;
    features: string[];
    nrc: Generated<string>;
    mrc: Generated<string>;
    demo: Generated<boolean>;
  };
  number_order: {
    id: string;
    account_id: string;
    person_id: string | null;
    state: string;
    idempotency_key: string | null;
    request: unknown;
    errors: unknown;
    success: number;
    price: string;
  } & Stamps;
  /** `released_on` null: it is leased now. */
  lease: {
    id: string;
    tn: string;
    account_id: string;
    order_id: string | null;
    app_id: string | null;
    features: string[];
    autorenew: boolean;
    expires_on: Date;
    released_on: Date | null;
  } & Stamps;
  /** What was charged (negative) and credited; one row for each thing that is billed. */
  transaction: {
    id: string;
    account_id: string;
    amount: string;
    balance_after: string;
    ref_type: string;
    ref_id: string;
    description: Generated<string>;
    created_on: Generated<Date>;
  };
  /** `account_id` null: the installation's own, for the account that runs it and those in `trunk_account`. */
  trunk: {
    id: string;
    account_id: string | null;
    host: string;
    port: number;
    transport: string;
    user: string;
    password: string;
    /** May whoever called us be shown to whom this trunk reaches? Their number is not verified: off unless the carrier asks for it. */
    passes_original_caller: Generated<boolean>;
    /** The credentials are for this realm alone; null: for the first that the trunk's own addresses name. */
    realm: string | null;
    /** CIDRs beside `host` that the trunk sends from and answers at; those that its media comes from. */
    addresses: Generated<string[]>;
    media_ranges: Generated<string[]>;
    media_from_anywhere: Generated<boolean>;
  };
  /** The addresses that hosts of trunks and connections had in the last day (directory/endpoints.ts). */
  endpoint_host: { host: string; resolved_on: Date };
  endpoint_address: { host: string; address: string; seen_on: Date };
  /** What the operator knows to be an account's own equipment: CIDRs. */
  account_address: { account_id: string; range: string };
  /** Accounts that an operator's command lets use a trunk of somebody else. */
  trunk_account: { trunk_id: string; account_id: string; created_on: Generated<Date> };
  staged_document: {
    user: string;
    xml: string;
    auto_answer: boolean;
    expires_at: Date;
    used_by: string | null;
    used_at: Date | null;
  };
  /** What became of each call; made from the journal, and from nothing else. */
  call_log: {
    id: string;
    account_id: string;
    app_id: string;
    direction: Generated<'in' | 'out'>;
    batch_item: string | null;
    caller: string;
    called: string;
    state: string;
    created_on: Date;
    ring_on: Date | null;
    answer_on: Date | null;
    hangup_on: Date | null;
    owner: Generated<string>;
    reason: Generated<string>;
    q850: Generated<number>;
    duration_ms: Generated<string>;
  };
  /** Each verb that ended, by its place in the call's story. */
  flow_log: {
    call_id: string;
    seq: number;
    account_id: string;
    app_id: string;
    document: number;
    path: string;
    name: string;
    success: boolean;
    reason: string;
    tag: string;
    created_on: Date;
  };
  /** `duration_ms` null: it is still being recorded. */
  recording_log: {
    id: string;
    call_id: string;
    account_id: string;
    tag: string;
    created_on: Date;
    duration_ms: string | null;
    transcript: string | null;
  };
  /** How far each partition of the journal was read. */
  call_log_cursor: { log: string; partition: number; position: string };
  /** Where the numbers of an exchange are at home. `demo`: a row of ours, until some are imported. */
  numbering: { npa: string; nxx: string; state: string; county: string; demo: boolean };
  /** Whom a `<Group>` rings; its members in the order of `position`, `sip:…` or `tel:…`. */
  ring_group: { id: string; account_id: string; name: string };
  ring_group_member: { group_id: string; position: number; target: string };
} & LogTables &
  MoneyTables &
  SipTables &
  PeopleTables &
  CallTables;

export type Database = Kysely<Tables>;

const POOL_MAX = 8;
const STATEMENT_MS = 2000;
/** A busy server takes its time to begin with a connection; one that waits for another's turn waits as long. */
const CONNECT_MS = 5000;

/** An index of a long log takes its time to be made. */
const MIGRATE_MS = 3_600_000;

/** Opens the database; nothing is asked of it yet. @param statementMs how long one statement may take */
export function openDatabase(url: string, statementMs = STATEMENT_MS): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_MAX,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: statementMs,
    query_timeout: statementMs + 500,
    application_name: 'opentact api',
  });
  pool.on('error', () => {}); // An idle connection broke; the next question opens another.
  pool.on('connect', (client) => client.on('error', (error) => markAway(error, 'unanswered')));
  const connect = () =>
    pool.connect().catch((error: unknown) => {
      markAway(error, 'unreached');
      throw error;
    });
  const { options } = pool;
  const dialect = new PostgresDialect({ pool: { Client: pg.Client, options, connect, end: () => pool.end() } });
  return new Kysely<Tables>({ dialect });
}

/** Brings the tables up to date; safe from several processes at once. @throws what the database said. */
export async function migrate(database: Database): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** The same for the database at `url`, whose statements may take as long as they need here. */
export async function migrateAt(url: string): Promise<void> {
  const database = openDatabase(url, MIGRATE_MS);
  await migrate(database).finally(() => database.destroy());
}
