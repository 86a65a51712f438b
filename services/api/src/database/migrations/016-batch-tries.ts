/** Bulk calls that a limit of the account refused are tried again; how many were made lately is counted. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const batchTries: Migration = {
  async up(db) {
    await sql`alter table batch_item add column tries int not null default 0`.execute(db);
    await sql`create index batch_item_ordered on batch_item (ordered_on) where ordered_on is not null`.execute(db);
  },
};
