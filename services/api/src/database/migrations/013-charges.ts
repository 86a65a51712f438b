/** Which app a call runs, as long as it lives: a leg of it is reserved by that app's profile. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const charges: Migration = {
  async up(db) {
    await sql`alter table billed_call add column app_id text not null default ''`.execute(db);
  },
};
