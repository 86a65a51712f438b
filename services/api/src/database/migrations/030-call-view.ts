/** The call as customers see it, with its row of the call log; rows from before have none until their call says more. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const callView: Migration = {
  async up(db) {
    // json keeps the text as it was written: the order of its fields, and whatever characters a caller's name has.
    await sql`alter table call_log add column view json`.execute(db);
    // A call that is over was called hangup here, whatever else was told of it.
    await sql`update call_log set state = 'destroyed' where state = 'hangup'`.execute(db);
  },
};
