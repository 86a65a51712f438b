/**
 * Who asks: Basic, JWT, API key or the token of an identity provider, in a header or the query (reference 2.2). It says
 * nothing of why a credential is wrong. A form's field is none of the places: who asks is known before a body is read.
 */
import type { FastifyRequest } from 'fastify';
import type { Database } from '../../database/database.ts';
import { RestError } from '../errors.ts';
import type { Attempts } from './attempts.ts';
import { digestOf, isApiKey, isPassword, readJwt } from './credentials.ts';
import type { Identity } from './identity.ts';
import { identityOf, people } from './people.ts';
import type { Providers } from './provider.ts';
import { type Kind, NAME, userOfProvider } from './provider-users.ts';
import { sourceOf } from './source.ts';

const wrong = () => new RestError(401, 'wrong credentials');

export type Authenticator = (request: FastifyRequest) => Promise<Identity>;

const CREDENTIAL_MAX = 4096;

export function createAuthenticator(
  db: Database,
  jwtKey: Uint8Array,
  attempts: Attempts,
  providers: Providers = {},
): Authenticator {
  /** What fails counts against the address that it came from. */
  async function counted(address: string, judge: () => Promise<Identity | undefined>): Promise<Identity> {
    attempts.check(address);
    const found = await judge();
    if (found) return found;
    attempts.failed(address);
    throw wrong();
  }

  async function byProvider(kind: Kind, token: string, address: string): Promise<Identity> {
    const provider = providers[kind];
    if (!provider) throw new RestError(401, `log-in by ${NAME[kind]} is not set up here`);
    return counted(address, () => userOfProvider(db, kind, provider, token));
  }

  return async (request) => {
    const address = sourceOf(request.ip);
    const { authorization = '' } = request.headers;
    const query = request.query as Record<string, unknown>;
    const [scheme = '', value = ''] = authorization.split(/\s+/, 2);
    const token = first(
      request.headers['x-auth-token'],
      query.jwt,
      query.bearer,
      /^bearer$/i.test(scheme) ? value : undefined,
    );
    if (token) return counted(address, () => (isApiKey(token) ? byKey(db, token) : byJwt(db, jwtKey, token)));
    for (const kind of ['google', 'facebook'] as const) {
      const given = first(request.headers[`x-auth-${kind}-token`], query[`${kind}_token`]);
      if (given) return byProvider(kind, given, address);
    }
    if (/^basic$/i.test(scheme) && value) return byPassword(db, attempts, value.slice(0, CREDENTIAL_MAX), address);
    throw new RestError(401, 'credentials are missing: Authorization or X-Auth-Token');
  };
}

async function byPassword(db: Database, attempts: Attempts, basic: string, address: string): Promise<Identity> {
  const text = Buffer.from(basic, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  const email = text.slice(0, Math.max(0, colon)).toLowerCase();
  const person = await attempts.ofUser(address, email, async () => {
    const found = await people(db).where('person.email', '=', email).executeTakeFirst();
    return (await isPassword(text.slice(colon + 1), found?.password_hash, address)) ? found : undefined;
  });
  if (!person) throw wrong();
  return identityOf(person);
}

async function byKey(db: Database, key: string): Promise<Identity | undefined> {
  const person = await people(db)
    .innerJoin('api_key', 'api_key.person_id', 'person.id')
    .where('api_key.digest', '=', digestOf(key))
    .where('api_key.expires_on', '>', new Date())
    .executeTakeFirst();
  return person && identityOf(person);
}

async function byJwt(db: Database, jwtKey: Uint8Array, token: string): Promise<Identity | undefined> {
  const claims = await readJwt(token, jwtKey);
  // The role is the one of today: a token must not keep one that was taken away.
  const person = claims && (await people(db).where('person.id', '=', claims.uuid).executeTakeFirst());
  return person?.password_count === claims?.passwords ? person && identityOf(person) : undefined;
}

/** The first that is text; a parameter given twice is none. */
function first(...given: unknown[]): string | undefined {
  const found = given.find((value) => typeof value === 'string' && value !== '');
  return typeof found === 'string' ? found.slice(0, CREDENTIAL_MAX) : undefined;
}
