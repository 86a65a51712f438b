/** SIP connections (a customer's own equipment), the numbers that go to them, and what apps still lacked. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const connections: Migration = {
  async up(db) {
    await sql`
      create table sip_connection (
        id uuid primary key,
        account_id uuid not null references account,
        name text not null check (length(name) between 1 and 255),
        is_active boolean not null default true,
        product int not null default 1 references sip_product,
        tech_prefix int not null default nextval('tech_prefix'),
        ip text,
        hostname text,
        port int not null default 5060 check (port between 1024 and 65535),
        ingress_media_type text not null default 'Proxy Media',
        egress_media_type text not null default 'Proxy Media',
        shaken_verify_policy int not null default 0 check (shaken_verify_policy between 0 and 3),
        shaken_minimum_accepted_attest_lvl text not null default 'C'
          check (shaken_minimum_accepted_attest_lvl in ('A', 'B', 'C')),
        outbound_voice_profile_id uuid,
        created_on timestamptz not null default now(),
        modified_on timestamptz not null default now(),
        unique (account_id, id),
        check (num_nonnulls(ip, hostname) = 1),
        foreign key (account_id, outbound_voice_profile_id) references outbound_voice_profile (account_id, id)
      )`.execute(db);
    await sql`create index sip_connection_account on sip_connection (account_id, created_on, id)`.execute(db);
    // A number goes to an app or to a connection, never to both.
    await sql`
      alter table number
        alter column app_id drop not null,
        add column connection_id uuid,
        add constraint number_goes_one_way check (num_nonnulls(app_id, connection_id) = 1),
        add constraint number_connection foreign key (account_id, connection_id)
          references sip_connection (account_id, id)`.execute(db);
    await sql`
      alter table lease
        add column connection_id uuid,
        add constraint lease_goes_one_way check (num_nonnulls(app_id, connection_id) <= 1),
        add constraint lease_connection foreign key (account_id, connection_id)
          references sip_connection (account_id, id)`.execute(db);
    await sql`create index lease_connection on lease (connection_id) where connection_id is not null`.execute(db);
    await sql`create index lease_app on lease (app_id) where app_id is not null`.execute(db);
    await sql`
      alter table app
        add column product int not null default 1 references sip_product,
        add column tech_prefix int not null default nextval('tech_prefix'),
        add column ingress_media_type text not null default 'Proxy Media',
        add column egress_media_type text not null default 'Proxy Media',
        add column shaken_verify_policy int not null default 0 check (shaken_verify_policy between 0 and 3),
        add column shaken_minimum_accepted_attest_lvl text not null default 'C'
          check (shaken_minimum_accepted_attest_lvl in ('A', 'B', 'C')),
        add constraint app_of_account unique (account_id, id)`.execute(db);
  },
};
