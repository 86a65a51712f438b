/** Records of the journal that can't be read: their calls are charged when the operator settles them. How long a call was, until then. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const quarantine: Migration = {
  async up(db) {
    await sql`
      create table quarantined_record (
        partition int not null,
        position bigint not null,
        call_id uuid not null,
        seq int not null,
        type text not null check (length(type) <= 64),
        noticed_on timestamptz not null default now(),
        settled_on timestamptz,
        primary key (partition, position)
      )`.execute(db);
    await sql`create index quarantined_record_call on quarantined_record (call_id)`.execute(db);
    await sql`alter table billed_call add column duration_ms bigint`.execute(db);
  },
};
