/** Accounts, their apps and numbers, who may call them, trunks, staged documents. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const directory: Migration = {
  async up(db) {
    await accounts(db);
    await numbers(db);
  },
};

async function accounts(db: Kysely<unknown>): Promise<void> {
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
  await sql`create table api_key (digest bytea primary key, account_id uuid not null references account)`.execute(db);
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
}

async function numbers(db: Kysely<unknown>): Promise<void> {
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
}
