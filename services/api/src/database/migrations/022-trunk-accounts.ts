/** Whom a trunk serves besides its owner, and e-mails that somebody has shown to be theirs. Who is in the table by now stays so. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const trunkAccounts: Migration = {
  async up(db) {
    await sql`
      create table trunk_account (
        trunk_id text not null references trunk on delete cascade,
        account_id uuid not null references account,
        created_on timestamptz not null default now(),
        primary key (trunk_id, account_id)
      )`.execute(db);
    await sql`create index trunk_account_account on trunk_account (account_id)`.execute(db);
    await sql`alter table person add column verified_on timestamptz default now()`.execute(db);
    await sql`
      create table email_verification (
        person_id uuid primary key references person (id) on delete cascade,
        digest bytea not null,
        email text not null,
        expires_on timestamptz not null
      )`.execute(db);
    await sql`create index email_verification_expires on email_verification (expires_on)`.execute(db);
  },
};
