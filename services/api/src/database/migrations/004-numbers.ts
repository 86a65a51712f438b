/** Numbers that can be had, orders, leases, and what was paid. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const numbers: Migration = {
  async up(db) {
    await orders(db);
    await leases(db);
  },
};

async function orders(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table inventory (
      tn text primary key check (tn ~ '^[0-9]{8,15}$'),
      country text not null check (country ~ '^[A-Z]{2}$'),
      state text not null default '' check (state ~ '^([A-Z]{2})?$'),
      city text not null default '',
      rate_center text not null default '',
      kind text not null default 'long_code' check (kind in ('long_code', 'toll_free')),
      features text[] not null check (features <@ array['voice', 'fax', 'sms', 'mms', 'emergency']),
      nrc numeric(12, 4) not null default 0 check (nrc >= 0),
      mrc numeric(12, 4) not null default 0 check (mrc >= 0),
      demo boolean not null default false
    )`.execute(db);
  await sql`create index inventory_place on inventory (country, state, tn)`.execute(db);
  await sql`
    create table number_order (
      id uuid primary key,
      account_id uuid not null references account,
      person_id uuid references person (id) on delete set null,
      state text not null check (state in ('created', 'verify', 'processing', 'success', 'failed')),
      idempotency_key text,
      request jsonb not null,
      errors jsonb not null,
      success int not null,
      price numeric(16, 4) not null,
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now(),
      unique (account_id, idempotency_key)
    )`.execute(db);
  await sql`create index number_order_account on number_order (account_id, created_on desc, id)`.execute(db);
}

async function leases(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table lease (
      id uuid primary key,
      tn text not null references inventory,
      account_id uuid not null references account,
      order_id uuid references number_order,
      app_id uuid references app,
      features text[] not null,
      autorenew boolean not null,
      expires_on timestamptz not null,
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now(),
      released_on timestamptz
    )`.execute(db);
  // A number belongs to one account at a time; what it belonged to before stays told.
  await sql`create unique index lease_of_number on lease (tn) where released_on is null`.execute(db);
  await sql`create index lease_account on lease (account_id, created_on desc, id)`.execute(db);
  await sql`
    create table transaction (
      id uuid primary key,
      account_id uuid not null references account,
      amount numeric(16, 4) not null,
      balance_after numeric(16, 4) not null,
      ref_type text not null,
      ref_id text not null,
      description text not null default '',
      created_on timestamptz not null default now(),
      unique (account_id, ref_type, ref_id)
    )`.execute(db);
  await sql`create index transaction_account on transaction (account_id, created_on desc, id)`.execute(db);
}
