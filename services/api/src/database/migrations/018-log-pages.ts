/** In which transaction a row of a log came, so that pages of a search show what was there at its first page; deletions. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const logPages: Migration = {
  async up(db) {
    for (const table of ['call_log', 'flow_log', 'recording_log'])
      await sql`
        alter table ${sql.table(table)}
          add column added_by xid8 not null default pg_current_xact_id()`.execute(db);
    await sql`alter table call_log add column ended_by xid8`.execute(db);
    await sql`update call_log set ended_by = pg_current_xact_id() where state = 'hangup'`.execute(db);
    // Beside the log: the log is made anew from the journal, and what was deleted stays so.
    await sql`
      create table recording_deletion (
        id uuid primary key,
        account_id text not null,
        deleted_on timestamptz not null default now()
      )`.execute(db);
  },
};
