/** The tables about people, and what `person` itself holds of them elsewhere. */
import type { Generated } from 'kysely';

type Stamps = { created_on: Generated<Date>; modified_on: Generated<Date> };

export type PeopleTables = {
  /** An address that waits for the token of its mail: of a new user, or another one of a user. Only the SHA-256 of the token is kept. */
  /** `source`: where a sign-up came from; null: an account's own user or change. */
  email_verification: { person_id: string; digest: Buffer; email: string; expires_on: Date; source: string | null };
  /** The picture of a user; a new one has a new id. */
  /** Of a user or of a SIP user. */
  avatar: { id: string; person_id: string | null; sip_user_id: string | null; type: string; bytes: Buffer };
  /** `country`: ISO 3166, two letters. */
  address: {
    id: string;
    account_id: string;
    person_id: string | null;
    name: string;
    is_physical: boolean;
    is_billing: boolean;
    is_shipping: boolean;
    address1: string;
    address2: string | null;
    zip_code: string;
    city: string;
    country: string;
  } & Stamps;
  /** Times are seconds of the day. */
  office_hours: {
    id: string;
    account_id: string;
    name: string | null;
    type: string;
    dow: string;
    time_from: number;
    time_to: number;
  } & Stamps;
  cart_entry: { id: string; person_id: string; payload: unknown; expires_on: Date; created_on: Generated<Date> };
  /** Only the SHA-256 of a token is kept; it is of a user or of a SIP user. */
  password_reset: { digest: Buffer; person_id: string | null; sip_user_id: string | null; expires_on: Date };
};

/** Columns of `person`. `password_count`: how often it was changed; a log-in token names it and holds no longer. */
export type PersonMore = {
  gmail_user_id: string | null;
  facebook_user_id: string | null;
  password_count: Generated<number>;
  /** Null: the e-mail was never shown to be theirs; no credential lets them in. */
  verified_on: Generated<Date | null>;
};
