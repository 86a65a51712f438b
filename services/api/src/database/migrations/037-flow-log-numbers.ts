/** Who called and which number of the account a verb ran for, in its own row: the flow log is searched by them, each by an index. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const flowLogNumbers: Migration = {
  async up(db) {
    // An api of before, which may still be writing, leaves them empty: such rows are found by everything else.
    await sql`
      alter table flow_log
        add column caller text not null default '',
        add column own_number text not null default ''`.execute(db);
    await sql`
      update flow_log set caller = c.caller, own_number = case c.direction when 'in' then c.called else c.caller end
      from call_log c where c.id = flow_log.call_id`.execute(db);
    for (const column of ['caller', 'own_number'])
      await sql`
        create index ${sql.ref(`flow_log_${column}`)}
          on flow_log (account_id, app_id, ${sql.ref(column)} collate "C", created_on desc)`.execute(db);
  },
};
