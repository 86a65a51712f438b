/** Who a user is elsewhere, which of their tokens hold, and the tokens of password resets. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const identity: Migration = {
  async up(db) {
    await sql`
      alter table person
        add column gmail_user_id text unique check (length(gmail_user_id) between 1 and 255),
        add column facebook_user_id text unique check (length(facebook_user_id) between 1 and 255),
        add column password_count int not null default 0`.execute(db);
    await sql`
      create table password_reset (
        digest bytea primary key,
        person_id uuid not null references person (id) on delete cascade,
        expires_on timestamptz not null
      )`.execute(db);
    await sql`create index password_reset_person on password_reset (person_id)`.execute(db);
  },
};
