/**
 * The indexes of the logs hold what a search asks of a row besides, so that counting up to 10,000 of them and ordering them
 * reads the index alone: the rows of a long log lie scattered over more than memory holds.
 */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const own = sql`(case direction when 'in' then called else caller end)`;
const CALLS = [
  ['call_log_account', sql`created_on desc, id`, sql`added_by, ended_by, direction, caller, called`],
  ['call_log_caller', sql`caller collate "C", created_on, id`, sql`added_by, direction`],
  ['call_log_called', sql`called collate "C", created_on, id`, sql`added_by, direction`],
  // What is reckoned is read from the index only where all that it is reckoned from stands there, too.
  ['call_log_own_number', sql`(${own} collate "C"), created_on, id`, sql`added_by, direction, caller, called`],
  ['call_log_direction', sql`direction, created_on desc, id`, sql`added_by`],
  ['call_log_app', sql`app_id, created_on desc, id`, sql`added_by`],
  ['call_log_ended', sql`ended_by`, sql`added_by, created_on, id`],
  [
    'call_log_modified',
    sql`(greatest(created_on, ring_on, answer_on, hangup_on)), id`,
    sql`added_by, created_on, ring_on, answer_on, hangup_on`,
  ],
] as const;
const FLOWS = [
  ['flow_log_app', sql`created_on desc, call_id, seq`, sql`added_by`],
  ['flow_log_name', sql`name, created_on desc`, sql`added_by, call_id, seq, success`],
  ['flow_log_success', sql`success, created_on desc`, sql`added_by, call_id, seq, name`],
  ['flow_log_caller', sql`caller collate "C", created_on desc`, sql`added_by, call_id, seq`],
  ['flow_log_own_number', sql`own_number collate "C", created_on desc`, sql`added_by, call_id, seq`],
] as const;

export const logCovers: Migration = {
  async up(db) {
    // The new one first: whoever searches meanwhile has the one of before.
    for (const [table, whose, indexes] of [
      ['call_log', sql`account_id`, CALLS],
      ['flow_log', sql`account_id, app_id`, FLOWS],
    ] as const) {
      for (const [name, columns, more] of indexes) {
        await sql`
          create index ${sql.ref(`${name}_new`)} on ${sql.table(table)} (${whose}, ${columns}) include (${more})`.execute(
          db,
        );
        await sql`drop index ${sql.ref(name)}`.execute(db);
        await sql`alter index ${sql.ref(`${name}_new`)} rename to ${sql.ref(name)}`.execute(db);
      }
      // An index is read alone where its rows are known to be old; that is told sooner than after each fifth of a long log.
      await sql`
        alter table ${sql.table(table)}
          set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05)`.execute(db);
      await sql`analyze ${sql.table(table)}`.execute(db);
    }
  },
};
