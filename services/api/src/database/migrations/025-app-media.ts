/** What an app may set of its legs' media: how long a silent one is waited for, and whether RTP is believed from anywhere. */
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const appMedia: Migration = {
  async up(db) {
    await sql`
      alter table app
        add column silence_ms int check (silence_ms between 5000 and 14400000),
        add column rtp_from_anywhere boolean not null default false`.execute(db);
  },
};
