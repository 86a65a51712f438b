/** Secrets that every api process of an installation shares: made once, kept in the database, sealed, never shown. */
import { randomBytes } from 'node:crypto';
import type { Database } from '../database.ts';
import type { Seal } from './seal.ts';

const BYTES = 32;

/** The secret of a name; the first process that asks makes it. */
export async function sharedSecret(db: Database, name: string, seal: Seal): Promise<Uint8Array> {
  await db
    .insertInto('secret')
    .values({ name, value: await seal.seal(randomBytes(BYTES), name) })
    .onConflict((c) => c.doNothing())
    .execute();
  const { value } = await db.selectFrom('secret').select('value').where('name', '=', name).executeTakeFirstOrThrow();
  return seal.open(value, name);
}
