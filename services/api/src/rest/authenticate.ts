/**
 * Who asks: Basic, JWT, API key or the token of an identity provider, in a header or the query (reference 2.2). It says
 * nothing of why a credential is wrong. A form's field is none of the places: who asks is known before a body is read.
 */
import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { type IdentityProvider, ProviderAway, type Providers } from '../identity/provider.ts';
import type { Attempts } from './attempts.ts';
import { digestOf, isApiKey, isPassword, nobodysHash, readJwt } from './credentials.ts';
import { RestError } from './errors.ts';
import { holdAccount } from './roles.ts';
import { sourceOf } from './source.ts';

/** Every row that a request touches belongs to this account. */
export type Identity = {
  userId: string;
  accountId: string;
  role: 'Admin' | 'User' | 'Provider';
  /** An Admin of the account that runs the installation (level ServiceAccount). */
  isOperator: boolean;
};

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity;
  }
}

const wrong = () => new RestError(401, 'wrong credentials');

export type Authenticator = (request: FastifyRequest) => Promise<Identity>;

/** Where a user of a provider is known by. */
const COLUMN = { google: 'gmail_user_id', facebook: 'facebook_user_id' } as const;
const NAME = { google: 'Google', facebook: 'Facebook' } as const;
type Kind = keyof typeof COLUMN;

const CREDENTIAL_MAX = 4096;

export function createAuthenticator(
  db: Database,
  jwtKey: Uint8Array,
  attempts: Attempts,
  providers: Providers = {},
): Authenticator {
  const people = () =>
    db
      .selectFrom('person')
      .innerJoin('account', 'account.id', 'person.account_id')
      .where('person.deleted_on', 'is', null)
      .where('account.deleted_on', 'is', null)
      .select(['person.id', 'person.account_id', 'person.role', 'person.password_hash', 'person.password_count'])
      .select('account.level');
  type Found = { id: string; account_id: string; role: string; level: string };
  const identityOf = ({ id, account_id, role, level }: Found): Identity => ({
    userId: id,
    accountId: account_id,
    role: role as Identity['role'],
    isOperator: role === 'Admin' && level === 'ServiceAccount',
  });

  async function byPassword(basic: string, address: string): Promise<Identity> {
    const text = Buffer.from(basic, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const email = text.slice(0, Math.max(0, colon)).toLowerCase();
    const person = await attempts.judged([address, `user ${email}`], async () => {
      const found = await people().where('person.email', '=', email).executeTakeFirst();
      return (await isPassword(text.slice(colon + 1), found?.password_hash)) ? found : undefined;
    });
    if (!person) throw wrong();
    attempts.succeeded(`user ${email}`);
    return identityOf(person);
  }

  async function byToken(token: string, address: string): Promise<Identity> {
    attempts.check(address);
    const found = isApiKey(token) ? await byKey(token) : await byJwt(token);
    if (found) return found;
    attempts.failed(address);
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
    return person?.password_count === claims?.passwords ? person && identityOf(person) : undefined;
  }

  async function byProvider(kind: Kind, token: string, address: string): Promise<Identity> {
    const provider = providers[kind];
    if (!provider) throw new RestError(401, `log-in by ${NAME[kind]} is not set up here`);
    attempts.check(address);
    const person = await linked(kind, provider, token);
    if (person) return person;
    attempts.failed(address);
    throw wrong();
  }

  /** The user of that id there; at first, the user of that e-mail, if nobody else stands for them there. */
  async function linked(kind: Kind, provider: IdentityProvider, token: string): Promise<Identity | undefined> {
    const found = await provider.identify(token).catch((error) => {
      if (!(error instanceof ProviderAway)) throw error;
      throw new RestError(503, `${NAME[kind]} can’t be asked now; try again`);
    });
    if (!found) return undefined;
    const known = await people().where(`person.${COLUMN[kind]}`, '=', found.id).executeTakeFirst();
    if (known) return identityOf(known);
    await link(kind, found);
    const now = await people().where(`person.${COLUMN[kind]}`, '=', found.id).executeTakeFirst();
    return now && identityOf(now);
  }

  /** Whoever signed up by that e-mail never showed that it is theirs: all that they can come in by ends. */
  const link = (kind: Kind, { id, email }: { id: string; email: string }): Promise<void> =>
    db.transaction().execute(async (tx) => {
      const person = await tx
        .selectFrom('person')
        .select(['id', 'account_id'])
        .where('email', '=', email)
        .where(COLUMN[kind], 'is', null)
        .where('deleted_on', 'is', null)
        .where((w) => w.not(w.exists(w.selectFrom('person as other').where(`other.${COLUMN[kind]}`, '=', id))))
        .executeTakeFirst();
      if (!person) return;
      await holdAccount(tx, person.account_id);
      const other = await tx
        .selectFrom('person')
        .select('id')
        .where('account_id', '=', person.account_id)
        .where('id', '<>', person.id)
        .where('deleted_on', 'is', null)
        .executeTakeFirst();
      if (other) throw new RestError(401, `${NAME[kind]} is linked to the only user of an account; this one has more`);
      const nobodyElse = { gmail_user_id: null, facebook_user_id: null, [COLUMN[kind]]: id };
      const linkedNow = await tx
        .updateTable('person')
        .set({ ...nobodyElse, password_hash: nobodysHash(), password_count: sql`password_count + 1` })
        .where('id', '=', person.id)
        .where('email', '=', email)
        .where(COLUMN[kind], 'is', null)
        .executeTakeFirst();
      if (linkedNow.numUpdatedRows === 0n) return;
      await tx.deleteFrom('api_key').where('person_id', '=', person.id).execute();
      await tx.deleteFrom('password_reset').where('person_id', '=', person.id).execute();
    });

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
    if (token) return byToken(token, address);
    for (const kind of ['google', 'facebook'] as const) {
      const given = first(request.headers[`x-auth-${kind}-token`], query[`${kind}_token`]);
      if (given) return byProvider(kind, given, address);
    }
    if (/^basic$/i.test(scheme) && value) return byPassword(value.slice(0, CREDENTIAL_MAX), address);
    throw new RestError(401, 'credentials are missing: Authorization or X-Auth-Token');
  };
}

/** The first that is text; a parameter given twice is none. */
function first(...given: unknown[]): string | undefined {
  const found = given.find((value) => typeof value === 'string' && value !== '');
  return typeof found === 'string' ? found.slice(0, CREDENTIAL_MAX) : undefined;
}
