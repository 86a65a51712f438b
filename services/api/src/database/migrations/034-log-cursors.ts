/** A position means something in one log alone: cursors say of which. Those from before are of the log that has as many partitions. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const logCursors: Migration = {
  async up(db) {
    for (const table of ['call_log_cursor', 'charge_cursor'])
      await sql`
        alter table ${sql.table(table)}
          add column log text not null default '',
          drop constraint ${sql.ref(`${table}_pkey`)},
          add primary key (log, partition)`.execute(db);
  },
};
