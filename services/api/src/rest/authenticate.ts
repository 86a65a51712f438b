/**
 * Who asks: Basic, JWT or API key, in the header, the query or the form (reference 2.2). It says nothing of why a
 * credential is wrong.
 */
import type { FastifyRequest } from 'fastify';
import type { Database } from '../database/database.ts';
import type { Attempts } from './attempts.ts';
import { digestOf, isApiKey, isPassword, readJwt } from './credentials.ts';
import { RestError } from './errors.ts';

/** Every row that a request touches belongs to this account. */
export type Identity = { userId: string; accountId: string; role: 'Admin' | 'User' | 'Provider' };

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity;
  }
}

const wrong = () => new RestError(401, 'wrong credentials');

export type Authenticator = (request: FastifyRequest) => Promise<Identity>;

export function createAuthenticator(db: Database, jwtKey: Uint8Array, attempts: Attempts): Authenticator {
  const people = () =>
    db
      .selectFrom('person')
      .innerJoin('account', 'account.id', 'person.account_id')
      .where('person.deleted_on', 'is', null)
      .where('account.deleted_on', 'is', null)
      .select(['person.id', 'person.account_id', 'person.role', 'person.password_hash']);
  const identityOf = ({ id, account_id, role }: { id: string; account_id: string; role: string }): Identity => ({
    userId: id,
    accountId: account_id,
    role: role as Identity['role'],
  });

  async function byPassword(basic: string, address: string): Promise<Identity> {
    const text = Buffer.from(basic, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const email = text.slice(0, Math.max(0, colon)).toLowerCase();
    attempts.check(`address ${address}`, `user ${email}`);
    const person = await people().where('person.email', '=', email).executeTakeFirst();
    const right = await isPassword(text.slice(colon + 1), person?.password_hash);
    if (!right || !person) {
      attempts.failed(`address ${address}`, `user ${email}`);
      throw wrong();
    }
    attempts.succeeded(`user ${email}`);
    return identityOf(person);
  }

  async function byToken(token: string, address: string): Promise<Identity> {
    attempts.check(`address ${address}`);
    const found = isApiKey(token) ? await byKey(token) : await byJwt(token);
    if (found) return found;
    attempts.failed(`address ${address}`);
    throw wrong();
  }

  async function byKey(key: string): Promise<Identity | undefined> {
    const person = await people()
      .innerJoin('api_key', 'api_key.person_id', 'person.id')
      .where('api_key.digest', '=', digestOf(key))
      .where('api_key.expires_on', '>', new Date())
      .executeTakeFirst();
    return person && identityOf(person);
  }

  async function byJwt(token: string): Promise<Identity | undefined> {
    const claims = await readJwt(token, jwtKey);
    // The role is the one of today: a token must not keep one that was taken away.
    const person = claims && (await people().where('person.id', '=', claims.uuid).executeTakeFirst());
    return person && identityOf(person);
  }

  return async (request) => {
    const { authorization = '' } = request.headers;
    const header = request.headers['x-auth-token'];
    const { jwt, bearer } = request.query as { jwt?: unknown; bearer?: unknown };
    const [scheme = '', value = ''] = authorization.split(/\s+/, 2);
    const token = [header, jwt, bearer, /^bearer$/i.test(scheme) ? value : undefined].find(
      (given) => typeof given === 'string' && given !== '',
    );
    if (typeof token === 'string') return byToken(token.slice(0, 4096), request.ip);
    if (/^basic$/i.test(scheme) && value) return byPassword(value.slice(0, 4096), request.ip);
    throw new RestError(401, 'credentials are missing: Authorization or X-Auth-Token');
  };
}
