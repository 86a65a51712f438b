/** The tables about people, and what `person` itself holds of them elsewhere. */
import type { Generated } from 'kysely';

export type PeopleTables = {
  /** Only the SHA-256 of a token is kept. */
  password_reset: { digest: Buffer; person_id: string; expires_on: Date };
};

/** Columns of `person`. `password_count`: how often it was changed; a log-in token names it and holds no longer. */
export type PersonMore = {
  gmail_user_id: string | null;
  facebook_user_id: string | null;
  password_count: Generated<number>;
};
