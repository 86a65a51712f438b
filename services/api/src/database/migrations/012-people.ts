/** What belongs to users and accounts beside themselves: pictures, addresses, office hours, carts. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const people: Migration = {
  async up(db) {
    await sql`
      create table avatar (
        id uuid primary key,
        person_id uuid not null unique references person (id) on delete cascade,
        type text not null,
        bytes bytea not null check (octet_length(bytes) <= 524288)
      )`.execute(db);
    await sql`
      create table address (
        id uuid primary key,
        account_id uuid not null references account,
        person_id uuid references person (id) on delete set null,
        name text not null,
        is_physical boolean not null,
        is_billing boolean not null,
        is_shipping boolean not null,
        address1 text not null,
        address2 text,
        zip_code text not null,
        city text not null,
        country text not null check (country ~ '^[A-Z]{2}$'),
        created_on timestamptz not null default now(),
        modified_on timestamptz not null default now()
      )`.execute(db);
    await sql`create index address_account on address (account_id, created_on)`.execute(db);
    await sql`
      create table office_hours (
        id uuid primary key,
        account_id uuid not null references account,
        name text,
        type text not null check (type in ('nonworking', 'lunchtime', 'coffeebreak', 'weekends')),
        dow text not null check (dow in ('sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat')),
        time_from int not null check (time_from between 0 and 86399),
        time_to int not null check (time_to between 1 and 86400),
        created_on timestamptz not null default now(),
        modified_on timestamptz not null default now(),
        constraint office_hours_order check (time_from < time_to)
      )`.execute(db);
    await sql`create index office_hours_account on office_hours (account_id, dow, time_from)`.execute(db);
    await sql`
      create table cart_entry (
        id uuid primary key,
        person_id uuid not null references person (id) on delete cascade,
        payload jsonb not null,
        expires_on timestamptz not null,
        created_on timestamptz not null default now()
      )`.execute(db);
    await sql`create index cart_entry_person on cart_entry (person_id, created_on)`.execute(db);
  },
};
