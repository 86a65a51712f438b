/** Where a sign-up came from; null: an account's own user or change, which the bound of sign-ups doesn't count. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const verificationSources: Migration = {
  async up(db) {
    await sql`alter table email_verification add column source text`.execute(db);
  },
};
