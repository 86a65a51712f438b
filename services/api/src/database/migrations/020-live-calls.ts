/** Live calls are counted at every bulk call, however long the log is. A batch's number is looked up with each of its calls. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const liveCalls: Migration = {
  async up(db) {
    await sql`
      create index call_log_live on call_log (account_id, created_on desc)
        where state in ('init', 'ringing', 'live')`.execute(db);
    await sql`alter table batch drop column caller`.execute(db);
  },
};
