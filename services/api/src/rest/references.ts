/** One thing that names another: what is named must be the account's own, and isn't removed while it is named. */
import type { Kysely } from 'kysely';
import type { Tables } from '../database/database.ts';
import { badInput, RestError } from './errors.ts';

/** By their tables. */
export const OWNED = {
  app: 'SIP control app',
  outbound_voice_profile: 'outbound voice profile',
  sip_connection: 'SIP connection',
  tn_profile: 'TN profile',
} as const;

/** Whether a thing is the account's. */
export const owns = async (db: Kysely<Tables>, accountId: string, table: keyof typeof OWNED, id: string) =>
  (await db
    .selectFrom(table)
    .select('id')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .executeTakeFirst()) !== undefined;

/** @throws RestError 400 where `id` is given and is none of the account's */
export async function mustOwn(
  db: Kysely<Tables>,
  accountId: string,
  table: keyof typeof OWNED,
  field: string,
  id: string | null | undefined,
): Promise<void> {
  if (id && !(await owns(db, accountId, table, id)))
    throw badInput({ [`body.${field}`]: { message: `is no ${OWNED[table]} of this account`, value: id } });
}

/** @throws RestError 400 where `id` is given and is no number that the account has now */
export async function mustLease(
  db: Kysely<Tables>,
  accountId: string,
  field: string,
  id: string | null | undefined,
): Promise<void> {
  if (!id) return;
  const found = await db
    .selectFrom('lease')
    .select('id')
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('released_on', 'is', null)
    .executeTakeFirst();
  if (!found) throw badInput({ [`body.${field}`]: { message: 'is no leased number of this account', value: id } });
}

/** @throws RestError 400 where there is no such product */
export async function mustBeProduct(db: Kysely<Tables>, id: number | undefined): Promise<void> {
  if (id === undefined) return;
  const found = await db.selectFrom('sip_product').select('id').where('id', '=', id).executeTakeFirst();
  if (!found) throw badInput({ 'body.product': { message: 'is no product: GET /sip/product lists them', value: id } });
}

const FOREIGN_KEY = '23503';

/** What the database refuses because something refers to it (or what it refers to has just gone) is 409. */
export const whileNamed =
  (message: string) =>
  (error: unknown): never => {
    throw (error as { code?: string }).code === FOREIGN_KEY ? new RestError(409, message) : error;
  };

const UNIQUE = '23505';

/** What the database refuses because there is one already is 409. */
export const whileTaken =
  (message: string) =>
  (error: unknown): never => {
    throw (error as { code?: string }).code === UNIQUE ? new RestError(409, message) : error;
  };
