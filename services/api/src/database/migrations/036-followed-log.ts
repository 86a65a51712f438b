/**
 * Which log was followed last: on any other one nobody takes the calls over that lived there. And no cursor is without its
 * log: an api of before, which does not say it, stands still instead of reading the journal from its beginning again.
 */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const followedLog: Migration = {
  async up(db) {
    await sql`create table followed_log (one boolean primary key default true check (one), log text not null)`.execute(
      db,
    );
    for (const table of ['call_log_cursor', 'charge_cursor'])
      await sql`alter table ${sql.table(table)} alter column log drop default`.execute(db);
  },
};
