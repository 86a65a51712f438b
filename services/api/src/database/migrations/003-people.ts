/** Users of accounts and their API keys. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const users: Migration = {
  async up(db) {
    await sql`
      alter table account
        add column email text not null default '',
        add column level text not null default 'Level0' check (level in ('ServiceAccount', 'Level0', 'Level1', 'Level2')),
        add column balance numeric(16, 4) not null default 0,
        add column created_on timestamptz not null default now(),
        add column modified_on timestamptz not null default now(),
        add column deleted_on timestamptz`.execute(db);
    await sql`
      alter table person
        add column id uuid not null default gen_random_uuid() unique,
        add column role text not null default 'Admin' check (role in ('Admin', 'User', 'Provider')),
        add column first_name text,
        add column last_name text,
        add column phone_number text,
        add column gender text,
        add column dob text,
        add column avatar text,
        add column created_on timestamptz not null default now(),
        add column modified_on timestamptz not null default now(),
        add column deleted_on timestamptz`.execute(db);
    await sql`
      alter table api_key
        add column id uuid not null default gen_random_uuid() unique,
        add column person_id uuid references person (id) on delete cascade,
        add column name text not null default '',
        add column expires_on timestamptz not null default 'infinity',
        add column created_on timestamptz not null default now(),
        add column modified_on timestamptz not null default now()`.execute(db);
    await sql`update api_key set person_id = person.id from person where person.account_id = api_key.account_id`.execute(
      db,
    );
    await sql`create index api_key_person on api_key (person_id)`.execute(db);
    await sql`
      alter table app
        add column is_active boolean not null default true,
        add column webhook_url text not null default '',
        add column webhook_method text not null default 'POST' check (webhook_method in ('GET', 'POST')),
        add column webhook_timeout_ms int not null default 0,
        add column created_on timestamptz not null default now(),
        add column modified_on timestamptz not null default now()`.execute(db);
    await sql`create index app_account on app (account_id, created_on)`.execute(db);
    await sql`create table secret (name text primary key, value bytea not null)`.execute(db);
  },
};
