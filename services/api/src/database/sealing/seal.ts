/**
 * Secrets that must be read again: sealed by AES-256-GCM for the row that they are of, by a key that lies outside the
 * database. A value that isn't marked as sealed is read as it is, and sealed at the next start.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { ID_BYTES, newKey, type SealKey, type SealKeys } from './keys.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What a sealed value begins with: this, then the key's id, the nonce, the text, the tag. */
export const MARK = Buffer.from('\0sealed\x01', 'latin1');
/** The same in a column of text, the rest base64. */
export const TEXT_MARK = 'sealed:v1:';
/** A process that runs while keys change knows the newest after so long; an unknown one at once. */
const FRESH_MS = 10_000;

export type Seal = {
  /** @param of the row's id: what is sealed for one row can't be opened as another's. */
  seal(secret: string | Uint8Array, of: string): Promise<Buffer>;
  /** What isn't sealed is given back as it is. @throws Error where it was sealed for another row, by a key that is gone, or was changed */
  open(stored: Buffer, of: string): Promise<Buffer>;
  /** As `seal` and `open`, for columns of text; nothing stays nothing. */
  sealText(secret: string, of: string): Promise<string>;
  openText(stored: string, of: string): Promise<string>;
  /** The newest key's id. */
  newest(): Promise<Buffer>;
};

export const isSealed = (stored: Uint8Array): boolean => Buffer.compare(stored.subarray(0, MARK.length), MARK) === 0;

export function createSeal(keys: SealKeys): Seal {
  let known: { at: number; keys: readonly SealKey[] } | undefined;
  const current = async (freshMs = FRESH_MS) => {
    if (!known || performance.now() - known.at > freshMs) known = { keys: await keys.read(), at: performance.now() };
    return known.keys;
  };
  const find = async (id: Buffer) => {
    const isIt = (key: SealKey) => key.id.equals(id);
    return (await current()).find(isIt) ?? (await current(0)).find(isIt);
  };
  const seal: Seal['seal'] = async (secret, of) => {
    const [{ id, key }] = (await current()) as [SealKey];
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(of));
    return Buffer.concat([MARK, id, nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  };
  const open: Seal['open'] = async (stored, of) => {
    if (!isSealed(stored)) return stored;
    const idEnds = MARK.length + ID_BYTES;
    const id = stored.subarray(MARK.length, idEnds);
    const found = await find(id);
    if (!found)
      throw new Error(
        `sealed by key ${id.toString('hex')}, which is not among the seal keys: npm run ops -- seal status`,
      );
    return openWith(found.key, stored.subarray(idEnds), of);
  };
  return {
    seal,
    open,
    sealText: async (secret, of) => (secret === '' ? '' : TEXT_MARK + (await seal(secret, of)).toString('base64')),
    openText: async (stored, of) =>
      stored.startsWith(TEXT_MARK)
        ? (await open(Buffer.from(stored.slice(TEXT_MARK.length), 'base64'), of)).toString('utf8')
        : stored,
    newest: async () => (await current(0))[0]!.id,
  };
}

/** @param sealed the nonce, the text, the tag. @throws Error where it was changed, or is of another row or key */
export function openWith(key: Uint8Array, sealed: Uint8Array, of: string): Buffer {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(of));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** What a row is found by: the same for the same text, and nothing without the key. */
export type Lookup = (text: string) => Promise<Buffer>;
export type LookupSeal = Seal & { lookup: Lookup };

/** @param key read when it is first needed */
export function createLookup(key: () => Promise<Uint8Array>): Lookup {
  let known: Promise<Uint8Array> | undefined;
  const read = () => {
    known ??= key().catch((error) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return async (text) =>
    createHmac('sha256', await read())
      .update(text)
      .digest();
}

/** Of a key that lives as long as this process: for tests. */
export function passingSeal(): Seal {
  const keys = [newKey()];
  return createSeal({ read: async () => keys, add: undefined, settled: async () => {} });
}
