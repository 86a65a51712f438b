/** The stories of calls: their records of the journal, kept beside it. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const stories: Migration = {
  async up(db) {
    // A row holds the records from_seq … to_seq of a call; a call that is over has one row for each MiB of them.
    await sql`
      create table call_story (
        call_id uuid not null,
        from_seq int not null,
        to_seq int not null,
        is_over boolean not null,
        raw_bytes int not null,
        records bytea not null,
        written_on timestamptz not null default now(),
        primary key (call_id, from_seq)
      )`.execute(db);
    // They are deflated already.
    await sql`alter table call_story alter column records set storage external`.execute(db);
    await sql`create index call_story_written on call_story (written_on)`.execute(db);
    // complete_at: whatever was durable in that partition then is here; -infinity: nobody knows.
    await sql`
      create table story_cursor (
        log text not null,
        partition int not null,
        position bigint not null,
        complete_at timestamptz not null default '-infinity',
        primary key (log, partition)
      )`.execute(db);
  },
};
