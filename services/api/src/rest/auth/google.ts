/**
 * Google as an identity provider, by OpenID Connect discovery: any issuer that speaks it serves. It takes ID tokens alone:
 * signed by a key of the issuer, for our client, young enough, with a verified e-mail.
 */
import { createCache } from '@opentact/runtime';
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type IdentityProvider, ProviderAway } from './provider.ts';

const TIMEOUT_MS = 3_000;
const BYTES_MAX = 256 * 1024;
const KEYS_MS = 600_000;
/** No more often than this are keys fetched because a token names one that isn't known. */
const COOLDOWN_MS = 30_000;
const DISCOVERED = { max: 1, freshMs: 3_600_000, staleMs: 24 * 3_600_000, patienceMs: TIMEOUT_MS };
const CLOCKS_APART_S = 60;
const ID_MAX = 255;

export const GOOGLE = 'https://accounts.google.com';
/** Google writes its issuer both ways. */
const namesOf = (issuer: string) => (issuer === GOOGLE ? [GOOGLE, 'accounts.google.com'] : [issuer]);

/** @param issuer as its tokens name it, without a slash at the end */
export function googleProvider(issuer: string, clientId: string): IdentityProvider {
  const keys = createCache<JWTVerifyGetKey>(DISCOVERED, () => keysOf(issuer));
  return {
    async identify(token) {
      let key: JWTVerifyGetKey;
      try {
        key = await keys.get(issuer);
      } catch (cause) {
        throw new ProviderAway('the issuer of ID tokens can’t be asked', { cause });
      }
      try {
        const { payload } = await jwtVerify(token, key, {
          issuer: namesOf(issuer),
          audience: clientId,
          algorithms: ['RS256', 'ES256'],
          requiredClaims: ['exp', 'iat', 'sub'],
          clockTolerance: CLOCKS_APART_S,
        });
        const { sub = '', email, email_verified, azp } = payload;
        if (sub === '' || sub.length > ID_MAX || typeof email !== 'string') return undefined;
        if (email_verified !== true || (azp !== undefined && azp !== clientId)) return undefined;
        return { id: sub, email: email.toLowerCase() };
      } catch (cause) {
        if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError))
          throw new ProviderAway('the keys of the issuer can’t be had', { cause });
        return undefined;
      }
    },
  };
}

async function keysOf(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = (await (await ask(url)).json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (found.issuer !== issuer || typeof found.jwks_uri !== 'string')
    throw new Error(`${url} describes another issuer, or names no keys`);
  const place = new URL(found.jwks_uri);
  if (place.protocol !== new URL(issuer).protocol) throw new Error('the keys are offered by another protocol');
  return createRemoteJWKSet(place, {
    timeoutDuration: TIMEOUT_MS,
    cacheMaxAge: KEYS_MS,
    cooldownDuration: COOLDOWN_MS,
    [customFetch]: (address) => ask(address),
  });
}

/** An answer of 200, whole and no longer than it may be. */
async function ask(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  if (response.status !== 200) throw new Error(`${response.status} from ${new URL(url).host}`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > BYTES_MAX) throw new Error(`more than ${BYTES_MAX} bytes from ${new URL(url).host}`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: 200 });
}
