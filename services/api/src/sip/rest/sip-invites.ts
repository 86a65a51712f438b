/** Invites to a SIP domain: a token by which somebody makes their own SIP user, once, until it expires (reference 1.11, 2.10). */
import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { mustHaveRoom } from '../../database/quota.ts';
import type { LookupSeal } from '../../database/sealing/seal.ts';
import { Moment, Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { badInput, notFound } from '../../rest/errors.ts';
import { resource, type Store } from '../../rest/resource.ts';
import { type OwnDomain, withinDomain } from './sip-domains.ts';

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

const storeOf = (
  db: Database,
  seal: LookupSeal,
): Store<OwnDomain, Static<typeof Invite>, Static<typeof New>, Static<typeof Change>> => {
  const inviteOf = async (row: Row, { domain }: OwnDomain): Promise<Static<typeof Invite>> => ({
    uuid: row.id,
    name: row.name,
    expired_on: stamp(row.expires_on),
    token: (await seal.open(row.token, row.id)).toString('utf8'),
    used_on: row.used_on && stamp(row.used_on),
    sip_domain: { domain },
    created_on: stamp(row.created_on),
    modified_on: stamp(row.modified_on),
  });
  const one = async (uuid: string, domain: OwnDomain) => {
    const row = await read(db, domain).where('id', '=', uuid).executeTakeFirst();
    return row && inviteOf(row, domain);
  };
  return {
    one,
    async list(domain) {
      const rows = await read(db, domain).orderBy('created_on').orderBy('id').limit(INVITES_MAX).execute();
      return Promise.all(rows.map((row) => inviteOf(row, domain)));
    },
    async make({ name, expired_on }, domain) {
      const id = randomUUID();
      const token = randomBytes(TOKEN_BYTES).toString('base64url');
      const secret = { token: await seal.seal(token, id), token_lookup: await seal.lookup(token) };
      const fresh = { ...secret, id, name, domain_id: domain.id, expires_on: expiryOf(expired_on), used_on: null };
      await db.transaction().execute(async (tx) => {
        await mustHaveRoom(tx, 'sip_invite', domain.id, INVITES_MAX, 'domain');
        await tx.insertInto('sip_invite').values(fresh).execute();
      });
      return (await one(id, domain))!;
    },
    async change(uuid, { name, expired_on }, domain) {
      await db
        .updateTable('sip_invite')
        .set({
          ...(name !== undefined && { name }),
          ...(expired_on !== undefined && { expires_on: expiryOf(expired_on) }),
          modified_on: new Date(),
        })
        .where('id', '=', uuid)
        .where('domain_id', '=', domain.id)
        .execute();
      return one(uuid, domain);
    },
    async remove(uuid, domain) {
      const found = await one(uuid, domain);
      await db.deleteFrom('sip_invite').where('id', '=', uuid).where('domain_id', '=', domain.id).execute();
      return found;
    },
  };
};

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
      store: storeOf(db, seal),
      within: withinDomain(db),
    });
