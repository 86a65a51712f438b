/** Addresses that the operator knows to be an account's own equipment: nobody else’s legs go there. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const accountAddresses: Migration = {
  async up(db) {
    await sql`
      create table account_address (
        account_id uuid not null references account on delete cascade,
        range cidr not null,
        primary key (account_id, range)
      )`.execute(db);
  },
};
