/** Which calls came from a carrier or from equipment of the account: what is said to others costs it nothing. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const peerCalls: Migration = {
  async up(db) {
    // Of a call that lives now nobody noted it: a number that is billed is one that a peer called.
    await sql`alter table billed_call add column is_peer boolean not null default false`.execute(db);
    await sql`update billed_call set is_peer = called <> ''`.execute(db);
  },
};
