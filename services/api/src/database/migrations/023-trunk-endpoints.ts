/** What is known of a trunk beside its host, and which addresses the hosts of trunks and connections resolve to. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const trunkEndpoints: Migration = {
  async up(db) {
    await sql`
      alter table trunk
        add column passes_original_caller boolean not null default false,
        add column realm text,
        add column addresses cidr[] not null default '{}' check (cardinality(addresses) <= 64),
        add column media_ranges cidr[] not null default '{}' check (cardinality(media_ranges) <= 64),
        add column media_from_anywhere boolean not null default false`.execute(db);
    await sql`
      create table endpoint_host (host text primary key, resolved_on timestamptz not null)`.execute(db);
    await sql`
      create table endpoint_address (
        host text not null,
        address text not null,
        seen_on timestamptz not null,
        primary key (host, address)
      )`.execute(db);
    await sql`create index endpoint_address_address on endpoint_address (address)`.execute(db);
    await sql`create index sip_connection_place on sip_connection (lower(coalesce(ip, hostname)))`.execute(db);
  },
};
