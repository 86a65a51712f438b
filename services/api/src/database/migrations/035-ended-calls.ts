/** The few calls that are over and whose recordings are still to come: a search by state finds them without looking at all others. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const endedCalls: Migration = {
  async up(db) {
    await sql`create index call_log_hangup on call_log (account_id, created_on desc, id) where state = 'hangup'`.execute(
      db,
    );
  },
};
