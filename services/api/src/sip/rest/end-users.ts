/**
 * What a SIP user does without an account of the API: becomes one by an invite, reads and changes themself, sees who else
 * is in the domain. Who they are is said by HA1B (reference 2.2, 2.11), which serves nowhere else.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import type { LookupSeal } from '../../database/sealing/seal.ts';
import type { Attempts } from '../../rest/auth/attempts.ts';
import { sourceOf } from '../../rest/auth/source.ts';
import { answers, ok, Stamps, stamp } from '../../rest/envelope.ts';
import { RestError } from '../../rest/errors.ts';
import { WithoutEffect } from '../../rest/known.ts';
import { END_USER, operation, PUBLIC } from '../../rest/operation.ts';
import { isHa1b, isTheirs } from '../sip-digests.ts';
import { invitedTo } from './sip-invites.ts';
import {
  changeSipUser,
  Login,
  makeSipUser,
  Profile,
  readSipUsers,
  SipPassword,
  SipUser,
  sipUserOf,
  USERS_MAX,
} from './sip-users.ts';

/** Every row that a request touches belongs to this user or their domain. */
export type EndUser = { id: string; domainId: string; domain: string };

declare module 'fastify' {
  interface FastifyRequest {
    endUser: EndUser;
  }
}

type Needs = { db: Database; seal: LookupSeal; attempts: Attempts };

/** @throws RestError 401 by nothing that tells why */
export const createEndUserAuthenticator =
  ({ db, seal, attempts }: Needs) =>
  async (request: FastifyRequest): Promise<EndUser> => {
    const given = request.headers['x-auth-ha1b-token'] ?? (request.query as { ha1b?: unknown }).ha1b;
    if (typeof given !== 'string' || given === '')
      throw new RestError(401, 'credentials are missing: X-Auth-HA1B-Token');
    const ha1b = given.slice(0, 64).toLowerCase();
    const user = await attempts.judged([sourceOf(request.ip)], async () => {
      const found = isHa1b(given) ? await byDigest(db, seal, ha1b) : undefined;
      return found && (await isTheirs(seal, found.id, found.digests, ha1b)) ? found : undefined;
    });
    if (user) return { id: user.id, domainId: user.domain_id, domain: user.domain };
    throw new RestError(401, 'wrong credentials');
  };

const byDigest = async (db: Database, seal: LookupSeal, ha1b: string) =>
  db
    .selectFrom('sip_user as user')
    .innerJoin('sip_domain as domain', 'domain.id', 'user.domain_id')
    .innerJoin('account', 'account.id', 'domain.account_id')
    .where(ha1b.length === 32 ? 'user.ha1b_md5_lookup' : 'user.ha1b_sha256_lookup', '=', await seal.lookup(ha1b))
    .where('user.is_active', '=', true)
    .where('account.deleted_on', 'is', null)
    .select(['user.id', 'user.digests', 'user.domain_id', 'domain.domain'])
    .executeTakeFirst();

const InvitePath = Type.Object({ token: Type.String({ minLength: 1, maxLength: 64 }) });
const Invited = Type.Object({ domain: Type.String(), ...Stamps });
const Self = Type.Partial(Type.Object({ ...Profile, password: SipPassword, same_domain_calls_only: WithoutEffect }));
const New = Type.Intersect([Type.Object({ login: Login, password: SipPassword }), Type.Omit(Self, ['password'])]);

/** The routes of whoever was invited: their token is all they have. */
export const invited =
  ({ db, seal, attempts }: Needs): FastifyPluginAsyncTypebox =>
  async (http) => {
    /** A token that is guessed is a credential that is guessed. */
    const guarded = async <T>(ip: string, use: () => Promise<T>): Promise<T> => {
      attempts.check(sourceOf(ip));
      return use().catch((error) => {
        if ((error as RestError).status === 404) attempts.failed(sourceOf(ip));
        throw error;
      });
    };
    const shown = {
      ...operation('CheckSIPDomainByInviteApp', 'End users', 'See which domain an invite is for'),
      ...PUBLIC,
      params: InvitePath,
      response: answers(Invited, { failures: [404] }),
    };
    http.get('/app/invite/:token', { schema: shown }, async ({ params, ip }) => {
      const { domain, created_on, modified_on } = await guarded(ip, () => invitedTo(db, seal, params.token));
      return ok({ domain, created_on: stamp(created_on), modified_on: stamp(modified_on) });
    });
    const once = 'An invite serves once; by a login that is taken (409) it isn’t used up.';
    const used = {
      ...operation('RegisterSIPUserByInviteApp', 'End users', 'Become a SIP user by an invite', once),
      ...PUBLIC,
      params: InvitePath,
      body: New,
      response: answers(SipUser, { status: 201, failures: [404, 409] }),
    };
    http.post('/app/invite/:token', { schema: used }, async ({ params, body, ip }, reply) => {
      const made = await guarded(ip, () =>
        db.transaction().execute(async (tx) => {
          const { invite_id, ...domain } = await invitedTo(tx, seal, params.token, 'lock');
          const id = await makeSipUser(tx, seal, domain, body);
          await tx.updateTable('sip_invite').set({ used_on: new Date() }).where('id', '=', invite_id).execute();
          return { id, domainId: domain.id };
        }),
      );
      reply.code(201);
      return ok(
        sipUserOf(await readSipUsers(db, made.domainId).where('user.id', '=', made.id).executeTakeFirstOrThrow()),
      );
    });
  };

/** To be registered where `endUser` is known. */
export const endUsers =
  ({ db, seal }: Needs): FastifyPluginAsyncTypebox =>
  async (http) => {
    const self = async ({ id, domainId }: EndUser) =>
      ok(sipUserOf(await readSipUsers(db, domainId).where('user.id', '=', id).executeTakeFirstOrThrow()));
    const shown = {
      ...operation('GetSIPUserApp', 'End users', 'Read oneself'),
      ...END_USER,
      response: answers(SipUser),
    };
    http.get('/app', { schema: shown }, ({ endUser }) => self(endUser));
    const says = 'A new password ends the HA1B of the one before. What the account allows is the account’s to change.';
    const changed = {
      ...operation('ModifySIPUserApp', 'End users', 'Change oneself', says),
      ...END_USER,
      body: Self,
      response: answers(SipUser),
    };
    http.patch('/app', { schema: changed }, async ({ endUser, body }) => {
      await changeSipUser(db, seal, { id: endUser.domainId, domain: endUser.domain }, endUser.id, body);
      return self(endUser);
    });
    const all = {
      ...operation('GetSIPUsersWithSameDomainApp', 'End users', 'List the users of one’s domain'),
      ...END_USER,
      response: answers(Type.Array(SipUser)),
    };
    http.get('/app/users', { schema: all }, async ({ endUser }) =>
      ok((await readSipUsers(db, endUser.domainId).orderBy('user.login').limit(USERS_MAX).execute()).map(sipUserOf)),
    );
  };
