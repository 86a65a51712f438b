/**
 * Secrets that must be read again: sealed by AES-256-GCM for the row that they are of, found by a keyed hash. The keys are
 * an installation's own, beside the one of log-in tokens; whoever has the rows without the table of keys has nothing.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Database } from '../database/database.ts';
import { sharedSecret } from './shared-secret.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type Seal = {
  /** @param of the row's id: what is sealed for one row can't be opened as another's. */
  seal(text: string, of: string): Promise<Buffer>;
  /** @throws Error where it was sealed for another row, by another key, or was changed */
  open(sealed: Buffer, of: string): Promise<string>;
  /** The same for the same text, and nothing without the key. */
  lookup(text: string): Promise<Buffer>;
};

/** The keys are read (or made) when they are first needed. */
export function createSeal(db: Database): Seal {
  const keys = new Map<string, Promise<Uint8Array>>();
  const key = (name: string) => {
    const known = keys.get(name);
    if (known) return known;
    const read = sharedSecret(db, name);
    keys.set(name, read);
    read.catch(() => keys.delete(name));
    return read;
  };
  return {
    async seal(text, of) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', await key('seal'), nonce).setAAD(Buffer.from(of));
      return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    },
    async open(sealed, of) {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', await key('seal'), nonce).setAAD(Buffer.from(of));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    },
    lookup: async (text) =>
      createHmac('sha256', await key('lookup'))
        .update(text)
        .digest(),
  };
}
