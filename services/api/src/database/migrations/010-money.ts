/** Rates, the legs that may cost, what was charged so far, and how far the journal was charged. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const money: Migration = {
  async up(db) {
    await sql`
      create table rate (
        direction text not null check (direction in ('in', 'out', 'tts')),
        prefix text not null check (prefix ~ '^[0-9]{0,15}$'),
        price numeric(12, 6) not null check (price >= 0),
        increment_s int not null default 60 check (increment_s between 1 and 3600),
        demo boolean not null default false,
        primary key (direction, prefix)
      )`.execute(db);
    // No reference to the profile: what a leg cost stays told when its profile is gone.
    await sql`
      create table outbound_leg (
        leg uuid primary key,
        call_id uuid not null,
        account_id uuid not null references account,
        profile_id uuid,
        called text not null check (length(called) <= 32),
        rate numeric(12, 6) not null,
        increment_s int not null,
        hold numeric(16, 4) not null,
        charged numeric(16, 4) not null default 0,
        reserved_on timestamptz not null default now(),
        answered_on timestamptz,
        ended_on timestamptz
      )`.execute(db);
    await sql`create index outbound_leg_open on outbound_leg (account_id) where ended_on is null`.execute(db);
    await sql`create index outbound_leg_call on outbound_leg (call_id)`.execute(db);
    await sql`create index outbound_leg_spent on outbound_leg (profile_id, ended_on)`.execute(db);
    await sql`
      create table billed_call (
        call_id uuid primary key,
        account_id uuid not null references account,
        called text not null,
        spoken int not null default 0
      )`.execute(db);
    await sql`create table charge_cursor (partition int primary key, position bigint not null)`.execute(db);
    // What was called before there was money is not charged now.
    await sql`insert into charge_cursor select partition, position from call_log_cursor`.execute(db);
    await sql`create index transaction_day on transaction (account_id, ref_type, created_on)`.execute(db);
  },
};
