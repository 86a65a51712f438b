/** SIP users have pictures, too. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const endUserAvatars: Migration = {
  async up(db) {
    await sql`
      alter table avatar
        alter column person_id drop not null,
        add column sip_user_id uuid unique references sip_user on delete cascade,
        add check (num_nonnulls(person_id, sip_user_id) = 1)`.execute(db);
  },
};
