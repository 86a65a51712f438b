/**
 * What is kept of a SIP user's password: its digests for MD5 and SHA-256 (RFC 8760), with the user alone (HA1) and with
 * `user@domain` (HA1B) as the name. Each is as good as the password where it is used, so that they are sealed.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { LookupSeal } from '../database/sealing/seal.ts';

export type Digests = { md5: { ha1: string; ha1b: string }; sha256: { ha1: string; ha1b: string } };

/** Lower-case hex. */
export function digestsOf(login: string, domain: string, password: string): Digests {
  const by = (algorithm: 'md5' | 'sha256') => {
    const hash = (name: string) => createHash(algorithm).update(`${name}:${domain}:${password}`).digest('hex');
    return { ha1: hash(login), ha1b: hash(`${login}@${domain}`) };
  };
  return { md5: by('md5'), sha256: by('sha256') };
}

/** The columns of a user's secret. */
export async function sealedDigests(seal: LookupSeal, userId: string, digests: Digests) {
  return {
    digests: await seal.seal(JSON.stringify(digests), userId),
    ha1b_md5_lookup: await seal.lookup(digests.md5.ha1b),
    ha1b_sha256_lookup: await seal.lookup(digests.sha256.ha1b),
  };
}

/** HA1B by either algorithm, as a request brings it: MD5 has 32 digits, SHA-256 64. */
export const isHa1b = (text: string) => /^[0-9a-f]{32}([0-9a-f]{32})?$/i.test(text);

/** @param ha1b as `isHa1b` admits it, in lower case */
export async function isTheirs(seal: LookupSeal, userId: string, sealed: Buffer, ha1b: string): Promise<boolean> {
  const digests = JSON.parse((await seal.open(sealed, userId)).toString('utf8')) as Digests;
  const wanted = Buffer.from(ha1b.length === 32 ? digests.md5.ha1b : digests.sha256.ha1b);
  const given = Buffer.from(ha1b);
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
