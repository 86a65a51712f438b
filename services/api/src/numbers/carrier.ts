/** Whom numbers come from: what a carrier must be able to say. Leasing and paying are not its business. */
import type { Kysely } from 'kysely';
import type { Tables } from '../database/database.ts';

/** `tn`: E.164 without the plus. Prices are decimals as text. */
export type Offer = {
  tn: string;
  kind: string;
  country: string;
  state: string;
  city: string;
  rate_center: string;
  features: string[];
  nrc: string;
  mrc: string;
};

/** All of what is given must hold. `patterns`: masks of the national number, `*` any run, `%` one digit. */
export type Wanted = {
  patterns: string[];
  type?: string | undefined;
  country?: string | undefined;
  state?: string | undefined;
  city?: string | undefined;
  rateCenter?: string | undefined;
  features?: string[] | undefined;
  take: number;
  skip: number;
};

export type NumberCarrier = {
  /** Numbers that nobody has. */
  search(wanted: Wanted): Promise<{ total: number; found: Offer[] }>;
  /** Two letters each. */
  countries(): Promise<string[]>;
  /** Those of these numbers that it has, `isTaken` where somebody leases one now. @param tx the order's transaction */
  offers(tx: Kysely<Tables>, tns: string[]): Promise<Array<Offer & { isTaken: boolean }>>;
};
