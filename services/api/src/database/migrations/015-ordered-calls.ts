/** Calls that are ordered by API, one by one and in bulk, and what the call log tells of them. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const orderedCalls: Migration = {
  async up(db) {
    await calls(db);
    await batches(db);
  },
};

async function calls(db: Kysely<unknown>): Promise<void> {
  // Signs what is asked of a customer's server for a call that no app runs.
  await sql`
    alter table account add column signing_key bytea not null
      default sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea)`.execute(db);
  await sql`
    alter table call_log
      add column direction text not null default 'in' check (direction in ('in', 'out')),
      add column batch_item uuid`.execute(db);
  await sql`
    create table ordered_call (
      id uuid primary key,
      account_id uuid not null references account,
      idempotency_key text not null check (length(idempotency_key) between 1 and 128),
      request_hash text not null,
      ordered_on timestamptz not null default now(),
      unique (account_id, idempotency_key)
    )`.execute(db);
}

async function batches(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table batch (
      id uuid primary key,
      account_id uuid not null references account,
      person_id uuid,
      profile_id uuid,
      lease_id uuid,
      app_id uuid,
      caller text not null,
      xml text not null check (octet_length(xml) <= 65536),
      call_flow_url text not null,
      call_flow_method text not null,
      pace numeric(6, 2) not null check (pace > 0),
      state text not null default 'created' check (state in ('created', 'running', 'done', 'cancelled')),
      idempotency_key text,
      request_hash text not null,
      next_on timestamptz not null default now(),
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now(),
      unique (account_id, idempotency_key)
    )`.execute(db);
  await sql`create index batch_account on batch (account_id, created_on desc)`.execute(db);
  await sql`create index batch_under_way on batch (next_on) where state in ('created', 'running')`.execute(db);
  await sql`
    create table batch_item (
      id uuid primary key,
      batch_id uuid not null references batch on delete cascade,
      position int not null,
      phone text not null,
      state text not null default 'waiting'
        check (state in ('waiting', 'ordering', 'ordered', 'refused', 'cancelled')),
      call_id uuid,
      reason text not null default '',
      ordered_on timestamptz,
      tried_on timestamptz,
      modified_on timestamptz not null default now(),
      unique (batch_id, position)
    )`.execute(db);
  await sql`create index batch_item_open on batch_item (batch_id, position) where state in ('waiting', 'ordering')`.execute(
    db,
  );
  await sql`create index batch_item_call on batch_item (call_id) where call_id is not null`.execute(db);
}
