/** Passwords of SIP users are reset in the same way as those of users. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const sipPasswordReset: Migration = {
  async up(db) {
    await sql`
      alter table password_reset
        alter column person_id drop not null,
        add column sip_user_id uuid references sip_user on delete cascade,
        add check (num_nonnulls(person_id, sip_user_id) = 1)`.execute(db);
    await sql`create index password_reset_sip_user on password_reset (sip_user_id)`.execute(db);
  },
};
