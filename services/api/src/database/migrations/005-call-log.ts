/** What became of calls, verbs and recordings, from the journal. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const callLog: Migration = {
  async up(db) {
    // A projection of the journal: everything here can be made again from it, so nothing refers to provisioning.
    await sql`
      create table call_log (
        id uuid primary key,
        account_id text not null,
        app_id text not null,
        caller text not null,
        called text not null,
        state text not null,
        created_on timestamptz not null,
        ring_on timestamptz,
        answer_on timestamptz,
        hangup_on timestamptz,
        owner text not null default '',
        reason text not null default '',
        q850 int not null default 0,
        duration_ms bigint not null default 0
      )`.execute(db);
    await sql`create index call_log_account on call_log (account_id, created_on desc, id)`.execute(db);
    await sql`
      create table flow_log (
        call_id uuid not null,
        seq int not null,
        account_id text not null,
        app_id text not null,
        document int not null,
        path text not null,
        name text not null,
        success boolean not null,
        reason text not null,
        tag text not null,
        created_on timestamptz not null,
        primary key (call_id, seq)
      )`.execute(db);
    await sql`create index flow_log_app on flow_log (account_id, app_id, created_on desc, call_id, seq)`.execute(db);
    await sql`
      create table recording_log (
        id uuid not null,
        call_id uuid not null,
        account_id text not null,
        tag text not null,
        created_on timestamptz not null,
        duration_ms bigint,
        transcript text,
        primary key (call_id, id)
      )`.execute(db);
    await sql`create index recording_log_account on recording_log (account_id, created_on desc, id)`.execute(db);
    await sql`create table call_log_cursor (partition int primary key, position bigint not null)`.execute(db);
  },
};
