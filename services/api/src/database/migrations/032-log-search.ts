/** Each filter of the logs has an index, so that a search costs what it finds and not what the log is long. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const logSearch: Migration = {
  async up(db) {
    // By the collation C an index serves LIKE and the order alike.
    const own = sql`(case direction when 'in' then called else caller end)`;
    for (const [name, columns] of [
      ['call_log_caller', sql`caller collate "C", created_on`],
      ['call_log_called', sql`called collate "C", created_on`],
      ['call_log_own_number', sql`(${own} collate "C"), created_on`],
      ['call_log_direction', sql`direction, created_on desc, id`],
      ['call_log_app', sql`app_id, created_on desc, id`],
      ['call_log_ended', sql`ended_by`],
      ['call_log_modified', sql`(greatest(created_on, ring_on, answer_on, hangup_on))`],
    ] as const)
      await sql`create index ${sql.ref(name)} on call_log (account_id, ${columns})`.execute(db);
    for (const [name, column] of [
      ['flow_log_name', sql`name`],
      ['flow_log_success', sql`success`],
    ] as const)
      await sql`create index ${sql.ref(name)} on flow_log (account_id, app_id, ${column}, created_on desc)`.execute(db);
  },
};
