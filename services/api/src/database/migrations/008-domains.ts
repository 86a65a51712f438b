/** SIP domains with their switches, users, groups of users, and invites. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const domains: Migration = {
  async up(db) {
    await domainsAndUsers(db);
    await invitesAndGroups(db);
  },
};

async function domainsAndUsers(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sip_domain (
      id uuid primary key,
      account_id uuid not null references account,
      domain text not null unique check (domain = lower(domain) and length(domain) <= 253),
      app_id uuid,
      connection_id uuid,
      outbound_voice_profile_id uuid,
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now(),
      foreign key (account_id, app_id) references app (account_id, id),
      foreign key (account_id, connection_id) references sip_connection (account_id, id),
      foreign key (account_id, outbound_voice_profile_id) references outbound_voice_profile (account_id, id)
    )`.execute(db);
  await sql`create index sip_domain_account on sip_domain (account_id, created_on, id)`.execute(db);
  await sql`
    create table sip_switch (
      id uuid primary key,
      domain_id uuid not null references sip_domain,
      name text not null check (length(name) between 1 and 255),
      description text not null default '' check (length(description) <= 1024),
      remote_ip inet not null,
      remote_domain text not null default '',
      is_active boolean not null default true,
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now(),
      unique (domain_id, remote_ip)
    )`.execute(db);
  // Digests are as good as the password: sealed, and found by a keyed hash of the one that a request brings.
  await sql`
    create table sip_user (
      id uuid primary key,
      domain_id uuid not null references sip_domain,
      login text not null check (login ~ '^[A-Za-z0-9._+-]{1,64}$'),
      digests bytea not null,
      ha1b_md5_lookup bytea not null unique,
      ha1b_sha256_lookup bytea not null unique,
      first_name text,
      last_name text,
      email text,
      phone_number text,
      avatar text,
      dob text,
      gender text,
      same_domain_calls_only boolean not null default false,
      is_active boolean not null default true,
      tn_lease_id uuid references lease,
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now(),
      unique (domain_id, login)
    )`.execute(db);
  await sql`create index sip_user_lease on sip_user (tn_lease_id) where tn_lease_id is not null`.execute(db);
}

async function invitesAndGroups(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sip_invite (
      id uuid primary key,
      domain_id uuid not null references sip_domain on delete cascade,
      name text not null check (length(name) between 3 and 255),
      token_lookup bytea not null unique,
      token bytea not null,
      expires_on timestamptz not null,
      used_on timestamptz,
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now()
    )`.execute(db);
  await sql`create index sip_invite_domain on sip_invite (domain_id, created_on, id)`.execute(db);
  await sql`
    create table sip_group (
      id uuid primary key,
      owner_id uuid not null references sip_user on delete cascade,
      name text not null check (length(name) between 3 and 80),
      created_on timestamptz not null default now(),
      modified_on timestamptz not null default now()
    )`.execute(db);
  await sql`create index sip_group_owner on sip_group (owner_id, created_on, id)`.execute(db);
  await sql`
    create table sip_group_user (
      group_id uuid not null references sip_group on delete cascade,
      user_id uuid not null references sip_user on delete cascade,
      primary key (group_id, user_id)
    )`.execute(db);
  await sql`create index sip_group_user_user on sip_group_user (user_id)`.execute(db);
}
