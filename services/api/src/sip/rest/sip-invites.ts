/** Invites to a SIP domain: a token by which somebody makes their own SIP user, once, until it expires (reference 1.11, 2.10). */
import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import type { LookupSeal } from '../../database/sealing/seal.ts';
import { Moment, Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { badInput, notFound } from '../../rest/errors.ts';
import { resource } from '../../rest/resource.ts';
import { storeIn } from '../../rest/store.ts';
import { OF_DOMAIN, type OwnDomain, withinDomain } from './sip-domains.ts';

const INVITES_MAX = 1000;
const TOKEN_BYTES = 24;
const AHEAD_MS_MAX = 366 * 86_400_000;

const Fields = {
  name: Type.String({ minLength: 3, maxLength: 255 }),
  expired_on: Type.String({ format: 'date-time', description: 'a moment within the next year, 2026-01-31T08:00:00Z' }),
};
const Invite = Type.Object(
  {
    uuid: Uuid,
    name: Type.String(),
    expired_on: Moment,
    token: Type.String({ description: 'For /app/invite/{token}; whoever has it may become a user of the domain.' }),
    used_on: Type.Union([Moment, Type.Null()]),
    sip_domain: Type.Object({ domain: Type.String() }),
    ...Stamps,
  },
  { title: 'SIPInvite' },
);
const New = Type.Object(Fields);
const Change = Type.Partial(New);

const read = (db: Kysely<Tables>, { id }: OwnDomain) =>
  db.selectFrom('sip_invite').selectAll().where('domain_id', '=', id);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirst']>>>;

/** @throws RestError 400 */
function expiryOf(text: string): Date {
  const at = Date.parse(text);
  const message = at <= Date.now() ? 'has passed: give a later moment' : 'is more than a year ahead';
  if (at <= Date.now() || at > Date.now() + AHEAD_MS_MAX)
    throw badInput({ 'body.expired_on': { message, value: text } });
  return new Date(at);
}

const inviteOf = async (row: Row, { domain }: OwnDomain, seal: LookupSeal): Promise<Static<typeof Invite>> => ({
  uuid: row.id,
  name: row.name,
  expired_on: stamp(row.expires_on),
  token: (await seal.open(row.token, row.id)).toString('utf8'),
  used_on: row.used_on && stamp(row.used_on),
  sip_domain: { domain },
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

/**
 * The domain that a token invites to.
 * @param lock whoever uses it waits for whoever does so now; in a transaction
 * @throws RestError 404 where it was used, has expired or never was
 */
export async function invitedTo(db: Kysely<Tables>, seal: LookupSeal, token: string, lock?: 'lock') {
  const row = await db
    .selectFrom('sip_invite as invite')
    .innerJoin('sip_domain as domain', 'domain.id', 'invite.domain_id')
    .where('invite.token_lookup', '=', await seal.lookup(token))
    .where('invite.used_on', 'is', null)
    .where('invite.expires_on', '>', new Date())
    .select(['invite.id as invite_id', 'domain.id', 'domain.domain', 'domain.created_on', 'domain.modified_on'])
    .$if(lock === 'lock', (q) => q.forUpdate(['invite']))
    .executeTakeFirst();
  if (!row) throw notFound('invite: it was used, has expired or never was');
  return row;
}

export const sipInvites =
  (db: Database, seal: LookupSeal): FastifyPluginAsyncTypebox =>
  async (http) =>
    resource(http, {
      path: '/sip/domain/:domain/invite',
      tag: 'SIP domains',
      id: 'SIPUserInvite',
      called: 'an invite',
      plural: 'invites to a domain',
      shape: Invite,
      fresh: New,
      change: Change,
      store: storeIn(db, {
        table: 'sip_invite',
        ...OF_DOMAIN,
        max: INVITES_MAX,
        read: (domain) => read(db, domain),
        shown: (rows: Row[], domain) => Promise.all(rows.map((row) => inviteOf(row, domain, seal))),
        async fresh({ name, expired_on }: Static<typeof New>, id) {
          const token = randomBytes(TOKEN_BYTES).toString('base64url');
          const secret = { token: await seal.seal(token, id), token_lookup: await seal.lookup(token) };
          return { ...secret, name, expires_on: expiryOf(expired_on), used_on: null };
        },
        changed: ({ name, expired_on }: Static<typeof Change>) => ({
          ...(name !== undefined && { name }),
          ...(expired_on !== undefined && { expires_on: expiryOf(expired_on) }),
        }),
      }),
      within: withinDomain(db),
    });
