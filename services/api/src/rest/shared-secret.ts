/** Secrets that every api process of an installation shares: made once, kept in the database, never shown. */
import { randomBytes } from 'node:crypto';
import type { Database } from '../database/database.ts';

const BYTES = 32;

/** The secret of a name; the first process that asks makes it. */
export async function sharedSecret(db: Database, name: string): Promise<Uint8Array> {
  await db
    .insertInto('secret')
    .values({ name, value: randomBytes(BYTES) })
    .onConflict((c) => c.doNothing())
    .execute();
  const { value } = await db.selectFrom('secret').select('value').where('name', '=', name).executeTakeFirstOrThrow();
  return value;
}
