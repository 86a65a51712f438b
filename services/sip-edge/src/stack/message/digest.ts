// Digest access authentication as a client (RFC 8760, RFC 7616): chooses the strongest challenge that it can answer.
// It refuses algorithms and qualities of protection it does not know, and challenges without realm or nonce.

import { createHash } from 'node:crypto';
import { GrammarFault, indexOutside, isToken, quote, unquote } from './grammar.ts';

export type Algorithm = 'MD5' | 'SHA-256';

/** One Digest challenge. `qop` says whether the server wants `auth`; `opaque` is echoed. */
export type Challenge = {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: Algorithm;
  readonly qop: boolean;
  readonly opaque?: string;
  readonly stale: boolean;
};

export type Credentials = { readonly user: string; readonly password: string };

/** What the answer is computed over. `cnonce` comes from the caller's story, `nonceCount` from 1 for each nonce. */
export type Proof = {
  readonly method: string;
  readonly uri: string;
  readonly cnonce: string;
  readonly nonceCount: number;
};

/** The fields of `Digest a=b, c="d"`, names in lower case; undefined for another scheme. Throws GrammarFault. */
export function parseDigestFields(value: string): Map<string, string> | undefined {
  if (!/^Digest\s/i.test(value)) return undefined;
  const fields = new Map<string, string>();
  let rest = value.slice(7).trim();
  while (rest !== '') {
    const comma = indexOutside(rest, ',', 0, false);
    const field = comma < 0 ? rest : rest.slice(0, comma);
    rest = comma < 0 ? '' : rest.slice(comma + 1).trim();
    const equals = field.indexOf('=');
    const name = field.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    if (!isToken(name) || fields.size === 32) throw new GrammarFault('challenge is malformed');
    fields.set(name, unquote(field.slice(equals + 1).trim()));
  }
  return fields;
}

/** A challenge that this side can answer, or undefined. Throws GrammarFault. */
export function parseChallenge(value: string): Challenge | undefined {
  const fields = parseDigestFields(value);
  const realm = fields?.get('realm');
  const nonce = fields?.get('nonce');
  if (!fields || realm === undefined || nonce === undefined) return undefined;
  const name = (fields.get('algorithm') ?? 'MD5').toUpperCase();
  if (name !== 'MD5' && name !== 'SHA-256') return undefined;
  const qop = fields
    .get('qop')
    ?.split(',')
    .map((one) => one.trim().toLowerCase());
  if (qop && !qop.includes('auth')) return undefined;
  const opaque = fields.get('opaque');
  return {
    realm,
    nonce,
    algorithm: name,
    qop: qop !== undefined,
    stale: fields.get('stale')?.toLowerCase() === 'true',
    ...(opaque === undefined ? {} : { opaque }),
  };
}

/** The strongest of several challenges (RFC 8760 2.4: the first one understood, but SHA-256 before MD5). */
export function preferred(challenges: readonly Challenge[]): Challenge | undefined {
  let chosen: Challenge | undefined;
  for (const challenge of challenges) {
    if (!chosen || (chosen.algorithm === 'MD5' && challenge.algorithm === 'SHA-256')) chosen = challenge;
  }
  return chosen;
}

/** The `response` value (RFC 7616 3.4.1). */
export function digestResponse(challenge: Challenge, credentials: Credentials, proof: Proof): string {
  const hash = (text: string) =>
    createHash(challenge.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const secret = hash(`${credentials.user}:${challenge.realm}:${credentials.password}`);
  const request = hash(`${proof.method}:${proof.uri}`);
  if (!challenge.qop) return hash(`${secret}:${challenge.nonce}:${request}`);
  return hash(`${secret}:${challenge.nonce}:${hexCount(proof.nonceCount)}:${proof.cnonce}:auth:${request}`);
}

/** Value of Authorization or Proxy-Authorization that answers a challenge. Throws GrammarFault on an injection. */
export function formatAuthorization(challenge: Challenge, credentials: Credentials, proof: Proof): string {
  const fields = [
    `username=${quote(credentials.user)}`,
    `realm=${quote(challenge.realm)}`,
    `nonce=${quote(challenge.nonce)}`,
    `uri=${quote(proof.uri)}`,
    `response="${digestResponse(challenge, credentials, proof)}"`,
    `algorithm=${challenge.algorithm}`,
  ];
  if (challenge.qop) fields.push('qop=auth', `nc=${hexCount(proof.nonceCount)}`, `cnonce=${quote(proof.cnonce)}`);
  if (challenge.opaque !== undefined) fields.push(`opaque=${quote(challenge.opaque)}`);
  return `Digest ${fields.join(', ')}`;
}

function hexCount(count: number): string {
  return count.toString(16).padStart(8, '0');
}
