/**
 * The keys that seal what stands in the database, kept outside of it: the lines of OPENTACT_SEAL_KEYS, else of
 * `$OPENTACT_HOME/seal.keys` (0600, made once). Newest first; two are valid, so that a rotation interrupts nobody.
 */
import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const KEY_BYTES = 32;
export const ID_BYTES = 4;
const VALID_MAX = 2;
/** Longer than a process may know keys as they were: `FRESH_MS` of seal.ts. */
const SETTLED_MS = 15_000;

/** `id`: which key sealed a value, without telling the key. */
export type SealKey = { id: Buffer; key: Buffer };

/** Where keys come from; asked again when the file may have changed. The newest first, at least one. */
export type SealKeys = {
  read(): Promise<readonly SealKey[]>;
  /** Undefined: they are the environment's, and whoever set it adds one. */
  add: ((key: SealKey) => Promise<void>) | undefined;
  /** Before a third key makes the oldest invalid: until no process can still seal by it. */
  settled(): Promise<void>;
};

const keyOf = (key: Buffer): SealKey => ({
  id: createHash('sha256').update('opentact seal key').update(key).digest().subarray(0, ID_BYTES),
  key,
});

export const newKey = (): SealKey => keyOf(randomBytes(KEY_BYTES));

/** @throws Error where a line is no key, or there is none: it never says what stands there */
export function parseKeys(text: string, from: string): SealKey[] {
  const lines = text.split(/[\s,]/).filter((line) => line !== '');
  const keys = lines.map((line, i) => {
    const key = Buffer.from(line, 'base64');
    if (key.length !== KEY_BYTES || key.toString('base64') !== line)
      throw new Error(`${from}: key ${i + 1} is not base64 of ${KEY_BYTES} bytes`);
    return keyOf(key);
  });
  if (keys.length === 0) throw new Error(`${from}: there is no key`);
  if (keys.length > VALID_MAX) throw new Error(`${from}: more than ${VALID_MAX} keys; keep the newest ${VALID_MAX}`);
  return keys;
}

/** @param of `sealKeys`: what the environment says */
export function sealKeys({ home, sealKeys }: { home: string; sealKeys: string | undefined }): SealKeys {
  if (sealKeys !== undefined) {
    const keys = parseKeys(sealKeys, 'OPENTACT_SEAL_KEYS');
    return { read: async () => keys, add: undefined, settled: async () => {} };
  }
  const file = join(home, 'seal.keys');
  const read = async () => {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return make(home, file);
      throw error;
    });
    return parseKeys(text, file);
  };
  const add = async (key: SealKey) => {
    const [newest] = await read();
    const draft = await draftOf(file, [key, newest!]);
    await rename(draft, file);
  };
  const settled = async () => {
    if ((await read()).length < VALID_MAX) return;
    const { mtimeMs } = await stat(file);
    await sleep(Math.max(0, mtimeMs + SETTLED_MS - Date.now()));
  };
  return { read, add, settled };
}

/** Safe when several processes ask at once: the first file to get the name is everyone's. */
async function make(home: string, file: string): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const draft = await draftOf(file, [newKey()]);
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return readFile(file, 'utf8');
}

async function draftOf(file: string, keys: SealKey[]): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, keys.map(({ key }) => `${key.toString('base64')}\n`).join(''), { mode: 0o600 });
  return draft;
}
