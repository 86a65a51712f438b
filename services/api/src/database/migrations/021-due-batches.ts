/** Batches are found by when they are due, which one that is over never is: however many there were, looking costs the same. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const dueBatches: Migration = {
  async up(db) {
    await sql`drop index batch_under_way`.execute(db);
    await sql`create index batch_due on batch (next_on)`.execute(db);
    await sql`update batch set next_on = 'infinity' where state = 'done'`.execute(db);
  },
};
