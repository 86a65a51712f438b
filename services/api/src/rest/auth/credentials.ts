/** Passwords, API keys and JWTs. Passwords are kept by scrypt, keys by SHA-256 alone; both are compared in constant time. */
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { errors, jwtVerify, SignJWT } from 'jose';
import { isUuid } from '../../kernel/uuid.ts';
import { createTurns } from './turns.ts';

const derive = promisify(scrypt) as (password: string, salt: Buffer, bytes: number) => Promise<Buffer>;
const HASH_BYTES = 32;
/** Each costs 16 MB and some 50 ms of a thread. So many more may wait, and so many of one account or address. */
const turns = createTurns({ atOnce: 4, waiting: 200, perShare: 10 });
export const JWT_SECONDS = 86_400;

/** @throws RestError 429 where too many wait */
const derived = (password: string, salt: Buffer, share: string): Promise<Buffer> =>
  turns.take(share, () => derive(password, salt, HASH_BYTES));

/**
 * `salt.hash`, both hex; scrypt with node's defaults.
 * @param share whose it is: an account where somebody is in, else the address
 * @throws RestError 429
 */
export async function hashPassword(password: string, share: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}.${(await derived(password, salt, share)).toString('hex')}`;
}

/** Nobody's password, so that an unknown user takes as long as a known one. */
const NOBODY = `${'00'.repeat(16)}.${'00'.repeat(HASH_BYTES)}`;

/** @param hash undefined for a user who doesn't exist. @param share as of `hashPassword`. @throws RestError 429 */
export async function isPassword(password: string, hash: string | undefined, share: string): Promise<boolean> {
  const [salt = '', wanted = ''] = (hash ?? NOBODY).split('.');
  const found = await derived(password, Buffer.from(salt, 'hex'), share);
  const right = Buffer.from(wanted, 'hex');
  return found.length === right.length && timingSafeEqual(found, right) && hash !== undefined;
}

/** The hash of a password that nobody knows. */
export const nobodysHash = () => `${randomBytes(16).toString('hex')}.${randomBytes(HASH_BYTES).toString('hex')}`;

/** A new API key: 48 characters, shown once. */
export const newApiKey = () => randomBytes(36).toString('base64url');
export const isApiKey = (text: string) => /^[\w-]{48}$/.test(text);
export const digestOf = (secret: string) => createHash('sha256').update(secret).digest();

/** `passwords`: how often the user's password had been changed when the token was made. */
export type Claims = { uuid: string; role: string; passwords: number };

/** HS256, a day long (reference 2.2). */
export const signJwt = (claims: Claims, key: Uint8Array) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuedAt().setExpirationTime(`${JWT_SECONDS}s`).sign(key);

/** The claims of a token of ours; undefined where it is forged, expired or none. */
export async function readJwt(token: string, key: Uint8Array): Promise<Claims | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp', 'iat'] });
    const { uuid, role, passwords } = payload;
    return typeof uuid === 'string' && isUuid(uuid) && typeof role === 'string' && typeof passwords === 'number'
      ? { uuid, role, passwords }
      : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
