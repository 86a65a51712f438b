/** TN profiles (whom a number lets call), outbound voice profiles (how an account calls out), products. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const profiles: Migration = {
  async up(db) {
    await numberProfiles(db);
    await voiceProfiles(db);
  },
};

async function numberProfiles(db: Kysely<unknown>): Promise<void> {
  await sql`create sequence tech_prefix minvalue 100000 maxvalue 999999 cycle start 100002`.execute(db);
  await sql`
    create table sip_product (
      id int primary key check (id between 1 and 1024),
      name text not null check (length(name) between 1 and 255),
      description text not null default '',
      type text not null default 'public' check (type in ('public', 'private')),
      tech_prefix int not null,
      rate_table_id int not null default 1,
      route_plan_id int not null default 1
    )`.execute(db);
  await sql`insert into sip_product (id, name, description, tech_prefix)
    values (1, 'Standard', 'The trunk of the account, else the one of the installation.', 100001)`.execute(db);

  await sql`
    create table tn_profile (
      id uuid primary key,
      account_id uuid not null references account,
      name text not null check (length(name) between 1 and 255),
      description text not null default '' check (length(description) <= 1024),
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now(),
      unique (account_id, id)
    )`.execute(db);
  // One list at most for a caller: the key doesn't name the list.
  await sql`
    create table tn_profile_caller (
      profile_id uuid not null references tn_profile on delete cascade,
      caller text not null check (caller ~ '^[0-9]{0,20}[*%]{0,15}$' and caller <> ''),
      list text not null check (list in ('blacklist', 'whitelist')),
      primary key (profile_id, caller)
    )`.execute(db);
  await sql`alter table lease add column tn_profile_id uuid`.execute(db);
  await sql`alter table lease add constraint lease_tn_profile
    foreign key (account_id, tn_profile_id) references tn_profile (account_id, id)`.execute(db);
  await sql`create index lease_tn_profile on lease (tn_profile_id) where tn_profile_id is not null`.execute(db);
  await sql`drop table screening`.execute(db);

  await sql`alter table lease add constraint lease_of_account unique (account_id, id)`.execute(db);
}

async function voiceProfiles(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table outbound_voice_profile (
      id uuid primary key,
      account_id uuid not null references account,
      name text not null check (length(name) between 1 and 255),
      is_active boolean not null default true,
      product int not null default 1 references sip_product,
      tech_prefix int not null default nextval('tech_prefix') check (tech_prefix between 100000 and 999999),
      channel_limit int not null default 0 check (channel_limit >= 0),
      max_rate numeric(12, 4) not null default 0 check (max_rate >= 0),
      daily_spend_limit numeric(16, 4) not null default 0 check (daily_spend_limit >= 0),
      record_calls int not null default 0 check (record_calls between 0 and 2),
      filemat text not null default 'wav' check (filemat in ('wav', 'mp3')),
      audio_track_type int not null default 0 check (audio_track_type between 0 and 1),
      shaken_sign_policy int not null default 0 check (shaken_sign_policy between 0 and 3),
      media_type text not null default 'Proxy Media',
      tn_lease_id uuid,
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now(),
      unique (account_id, id),
      foreign key (account_id, tn_lease_id) references lease (account_id, id)
    )`.execute(db);
  await sql`create index outbound_voice_profile_account on outbound_voice_profile (account_id, created_on, id)`.execute(
    db,
  );
  await sql`create index tn_profile_account on tn_profile (account_id, created_on, id)`.execute(db);
  await sql`alter table app add column outbound_voice_profile_id uuid`.execute(db);
  await sql`alter table app add constraint app_outbound_voice_profile
    foreign key (account_id, outbound_voice_profile_id) references outbound_voice_profile (account_id, id)`.execute(db);
}
