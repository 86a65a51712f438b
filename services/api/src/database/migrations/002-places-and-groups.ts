/** Where numbers are at home, and whom a group rings. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const placesAndGroups: Migration = {
  async up(db) {
    // PostgreSQL itself refuses a zone that it doesn't know.
    await sql`
      alter table account add column time_zone text not null default 'UTC'
        check (length(time_zone) <= 64 and timezone(time_zone, timestamp '2000-01-01') is not null)`.execute(db);
    await sql`
      create table numbering (
        npa text not null check (npa ~ '^[2-9][0-9]{2}$'),
        nxx text not null check (nxx ~ '^[2-9][0-9]{2}$'),
        state text not null check (state ~ '^[A-Z]{2}$'),
        county text not null check (county = upper(county) and length(county) <= 64),
        demo boolean not null,
        primary key (npa, nxx)
      )`.execute(db);
    await sql`
      create table ring_group (
        id uuid primary key,
        account_id uuid not null references account,
        name text not null check (length(name) <= 128)
      )`.execute(db);
    await sql`create index ring_group_account on ring_group (account_id)`.execute(db);
    await sql`
      create table ring_group_member (
        group_id uuid not null references ring_group on delete cascade,
        position int not null check (position between 0 and 9),
        target text not null check (target ~ '^(sip:[!-~]+@[!-~]+|tel:[0-9]{3,20})$' and length(target) <= 512),
        primary key (group_id, position)
      )`.execute(db);
  },
};
