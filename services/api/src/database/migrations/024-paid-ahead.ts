/** Legs are paid ahead, and ended where that is refused; who called from nowhere known costs the callee no minutes. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const paidAhead: Migration = {
  async up(db) {
    await sql`
      alter table outbound_leg
        add column hold_s int not null default 60,
        add column next_on timestamptz,
        add column refused text`.execute(db);
    await sql`update outbound_leg set next_on = now() where ended_on is null and answered_on is not null`.execute(db);
    await sql`create index outbound_leg_next on outbound_leg (next_on) where ended_on is null`.execute(db);
    await sql`alter table billed_call add column came_in boolean not null default false`.execute(db);
  },
};
