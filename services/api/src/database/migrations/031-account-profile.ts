/** What an account says of itself beside its name, and shows again. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const accountProfile: Migration = {
  async up(db) {
    await sql`
      alter table account
        add column phone text,
        add column address1 text,
        add column address2 text,
        add column zip_code text,
        add column city text`.execute(db);
  },
};
