/** The steps that make api's tables. A step that was released is never changed: what is to be otherwise is a step more. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { profiles } from './migrations/006-profiles.ts';
import { connections } from './migrations/007-connections.ts';
import { domains } from './migrations/008-domains.ts';
import { money } from './migrations/010-money.ts';
import { identity } from './migrations/011-identity.ts';
import { people } from './migrations/012-people.ts';
import { charges } from './migrations/013-charges.ts';
import { sipPasswordReset } from './migrations/014-sip-password-reset.ts';
import { orderedCalls } from './migrations/015-ordered-calls.ts';
import { batchTries } from './migrations/016-batch-tries.ts';
import { logPages } from './migrations/018-log-pages.ts';
import { endUserAvatars } from './migrations/019-end-user-avatars.ts';
import { liveCalls } from './migrations/020-live-calls.ts';
import { dueBatches } from './migrations/021-due-batches.ts';

export const MIGRATIONS: Record<string, Migration> = {
  '001-directory': {
    async up(db) {
      await sql`
        create table account (
          id uuid primary key,
          name text not null,
          calls_max int not null default 100 check (calls_max > 0),
          dials_per_minute_max int not null default 60 check (dials_per_minute_max > 0)
        )`.execute(db);
      await sql`
        create table person (
          email text primary key,
          account_id uuid not null references account,
          password_hash text not null
        )`.execute(db);
      await sql`create table api_key (digest bytea primary key, account_id uuid not null references account)`.execute(
        db,
      );
      await sql`
        create table app (
          id uuid primary key,
          account_id uuid not null references account,
          name text not null,
          auto_answer boolean not null default false,
          call_flow_url text not null default '',
          call_flow_method text not null default 'GET' check (call_flow_method in ('GET', 'POST')),
          call_flow_timeout_ms int not null default 0,
          static_document text not null default '' check (octet_length(static_document) <= 65536),
          max_call_length_ms int not null default 14400000,
          signing_key bytea not null
        )`.execute(db);
      await sql`
        create table number (
          number text primary key check (number ~ '^[0-9]{3,20}$'),
          account_id uuid not null references account,
          app_id uuid not null references app
        )`.execute(db);
      await sql`create index number_account on number (account_id)`.execute(db);
      await sql`
        create table screening (
          number text not null references number on delete cascade,
          list text not null check (list in ('blacklist', 'whitelist')),
          caller text not null,
          primary key (number, list, caller)
        )`.execute(db);
      await sql`
        create table trunk (
          id text primary key,
          account_id uuid references account,
          host text not null,
          port int not null check (port between 1 and 65535),
          transport text not null check (transport in ('udp', 'tcp')),
          "user" text not null,
          password text not null
        )`.execute(db);
      await sql`
        create table staged_document (
          "user" text primary key,
          xml text not null check (octet_length(xml) <= 65536),
          auto_answer boolean not null,
          expires_at timestamptz not null,
          used_by text,
          used_at timestamptz
        )`.execute(db);
    },
  },
  '002-places-and-groups': {
    async up(db) {
      // PostgreSQL itself refuses a zone that it doesn't know.
      await sql`
        alter table account add column time_zone text not null default 'UTC'
          check (length(time_zone) <= 64 and timezone(time_zone, timestamp '2000-01-01') is not null)`.execute(db);
      await sql`
        create table numbering (
          npa text not null check (npa ~ '^[2-9][0-9]{2}$'),
          nxx text not null check (nxx ~ '^[2-9][0-9]{2}$'),
          state text not null check (state ~ '^[A-Z]{2}$'),
          county text not null check (county = upper(county) and length(county) <= 64),
          demo boolean not null,
          primary key (npa, nxx)
        )`.execute(db);
      await sql`
        create table ring_group (
          id uuid primary key,
          account_id uuid not null references account,
          name text not null check (length(name) <= 128)
        )`.execute(db);
      await sql`create index ring_group_account on ring_group (account_id)`.execute(db);
      await sql`
        create table ring_group_member (
          group_id uuid not null references ring_group on delete cascade,
          position int not null check (position between 0 and 9),
          target text not null check (target ~ '^(sip:[!-~]+@[!-~]+|tel:[0-9]{3,20})$' and length(target) <= 512),
          primary key (group_id, position)
        )`.execute(db);
    },
  },
  '003-people': {
    async up(db) {
      await sql`
        alter table account
          add column email text not null default '',
          add column level text not null default 'Level0' check (level in ('ServiceAccount', 'Level0', 'Level1', 'Level2')),
          add column balance numeric(16, 4) not null default 0,
          add column created_on timestamptz not null default now(),
          add column modified_on timestamptz not null default now(),
          add column deleted_on timestamptz`.execute(db);
      await sql`
        alter table person
          add column id uuid not null default gen_random_uuid() unique,
          add column role text not null default 'Admin' check (role in ('Admin', 'User', 'Provider')),
          add column first_name text,
          add column last_name text,
          add column phone_number text,
          add column gender text,
          add column dob text,
          add column avatar text,
          add column created_on timestamptz not null default now(),
          add column modified_on timestamptz not null default now(),
          add column deleted_on timestamptz`.execute(db);
      await sql`
        alter table api_key
          add column id uuid not null default gen_random_uuid() unique,
          add column person_id uuid references person (id) on delete cascade,
          add column name text not null default '',
          add column expires_on timestamptz not null default 'infinity',
          add column created_on timestamptz not null default now(),
          add column modified_on timestamptz not null default now()`.execute(db);
      await sql`update api_key set person_id = person.id from person where person.account_id = api_key.account_id`.execute(
        db,
      );
      await sql`create index api_key_person on api_key (person_id)`.execute(db);
      await sql`
        alter table app
          add column is_active boolean not null default true,
          add column webhook_url text not null default '',
          add column webhook_method text not null default 'POST' check (webhook_method in ('GET', 'POST')),
          add column webhook_timeout_ms int not null default 0,
          add column created_on timestamptz not null default now(),
          add column modified_on timestamptz not null default now()`.execute(db);
      await sql`create index app_account on app (account_id, created_on)`.execute(db);
      await sql`create table secret (name text primary key, value bytea not null)`.execute(db);
    },
  },
  '004-numbers': {
    async up(db) {
      await sql`
        create table inventory (
          tn text primary key check (tn ~ '^[0-9]{8,15}$'),
          country text not null check (country ~ '^[A-Z]{2}$'),
          state text not null default '' check (state ~ '^([A-Z]{2})?$'),
          city text not null default '',
          rate_center text not null default '',
          kind text not null default 'long_code' check (kind in ('long_code', 'toll_free')),
          features text[] not null check (features <@ array['voice', 'fax', 'sms', 'mms', 'emergency']),
          nrc numeric(12, 4) not null default 0 check (nrc >= 0),
          mrc numeric(12, 4) not null default 0 check (mrc >= 0),
          demo boolean not null default false
        )`.execute(db);
      await sql`create index inventory_place on inventory (country, state, tn)`.execute(db);
      await sql`
        create table number_order (
          id uuid primary key,
          account_id uuid not null references account,
          person_id uuid references person (id) on delete set null,
          state text not null check (state in ('created', 'verify', 'processing', 'success', 'failed')),
          idempotency_key text,
          request jsonb not null,
          errors jsonb not null,
          success int not null,
          price numeric(16, 4) not null,
          created_on timestamptz not null default now(),
          modified_on timestamptz not null default now(),
          unique (account_id, idempotency_key)
        )`.execute(db);
      await sql`create index number_order_account on number_order (account_id, created_on desc, id)`.execute(db);
      await sql`
        create table lease (
          id uuid primary key,
          tn text not null references inventory,
          account_id uuid not null references account,
          order_id uuid references number_order,
          app_id uuid references app,
          features text[] not null,
          autorenew boolean not null,
          expires_on timestamptz not null,
          created_on timestamptz not null default now(),
          modified_on timestamptz not null default now(),
          released_on timestamptz
        )`.execute(db);
      // A number belongs to one account at a time; what it belonged to before stays told.
      await sql`create unique index lease_of_number on lease (tn) where released_on is null`.execute(db);
      await sql`create index lease_account on lease (account_id, created_on desc, id)`.execute(db);
      await sql`
        create table transaction (
          id uuid primary key,
          account_id uuid not null references account,
          amount numeric(16, 4) not null,
          balance_after numeric(16, 4) not null,
          ref_type text not null,
          ref_id text not null,
          description text not null default '',
          created_on timestamptz not null default now(),
          unique (account_id, ref_type, ref_id)
        )`.execute(db);
      await sql`create index transaction_account on transaction (account_id, created_on desc, id)`.execute(db);
    },
  },
  '005-call-log': {
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
  },
  '006-profiles': profiles,
  '007-connections': connections,
  '008-domains': domains,
  '010-money': money,
  '011-identity': identity,
  '012-people': people,
  '013-charges': charges,
  '014-sip-password-reset': sipPasswordReset,
  '015-ordered-calls': orderedCalls,
  '016-batch-tries': batchTries,
  '018-log-pages': logPages,
  '019-end-user-avatars': endUserAvatars,
  '020-live-calls': liveCalls,
  '021-due-batches': dueBatches,
};
