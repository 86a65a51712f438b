/** SIP users of a domain: who they are, and the digests of their passwords (reference 1.11, 2.10). Nothing here registers. */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type Static, Type } from 'typebox';
import { AvatarAddress } from '../../accounts/rest/user.ts';
import { whileTaken } from '../../database/constraints.ts';
import type { Database, Tables } from '../../database/database.ts';
import { mustHaveRoom } from '../../database/quota.ts';
import { mustLease } from '../../database/references.ts';
import type { LookupSeal } from '../../database/sealing/seal.ts';
import { Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { badInput } from '../../rest/errors.ts';
import { storedOnly, WithoutEffect } from '../../rest/known.ts';
import { resource, type Store } from '../../rest/resource.ts';
import { kept } from '../../rest/store.ts';
import { digestsOf, sealedDigests } from '../sip-digests.ts';
import { OF_DOMAIN, type OwnDomain, withinDomain } from './sip-domains.ts';

export const USERS_MAX = 1000;
const GROUPS_MAX = 100;

const text = (max = 255) => Type.Union([Type.String({ minLength: 1, maxLength: max }), Type.Null()]);
/** What a user may say of themself. */
export const Profile = {
  first_name: text(),
  last_name: text(),
  email: Type.Union([Type.String({ format: 'email', maxLength: 255 }), Type.Null()]),
  phone_number: text(32),
  avatar: Type.Union([AvatarAddress, Type.Null()]),
  dob: Type.Union([Type.String({ format: 'date' }), Type.Null()]),
  gender: Type.Union([Type.Literal('Male'), Type.Literal('Female'), Type.Literal('Other'), Type.Null()]),
};
export const Login = Type.String({ pattern: '^[A-Za-z0-9._+-]{1,64}$', description: 'letters, digits and . _ + -' });
export const SipPassword = Type.String({ minLength: 8, maxLength: 128 });
const UNREGISTERED = 'no SIP user registers or calls here yet';
const Rights = {
  same_domain_calls_only: Type.Boolean(storedOnly(UNREGISTERED)),
  is_active: Type.Boolean({ description: 'Switched off: let in by no HA1B, and no user of its domain to call.' }),
};
const Group = Type.Object({ uuid: Uuid, name: Type.String() });
export const SipUser = Type.Object(
  {
    uuid: Uuid,
    login: Type.String(),
    ...Profile,
    ...Rights,
    state: Type.Union([Type.Literal('online'), Type.Literal('offline')], {
      description: 'Whether a phone is registered.',
    }),
    tn_lease: Type.Union([Type.Object({ uuid: Uuid, tn: Type.Object({ tn: Type.Integer() }) }), Type.Null()]),
    sip_domain: Type.Object({ domain: Type.String(), ...Stamps }),
    groups: Type.Array(Group),
    ...Stamps,
  },
  { title: 'SIPUser' },
);
const Change = Type.Partial(
  Type.Object({
    login: Login,
    password: SipPassword,
    ...Profile,
    ...Rights,
    tn_lease: Type.Union([Uuid, Type.Null()], storedOnly(UNREGISTERED, 'The number that the user shows.')),
    remote_ip: WithoutEffect,
  }),
);
const New = Type.Intersect([
  Type.Object({ login: Login, password: SipPassword }),
  Type.Omit(Change, ['login', 'password']),
]);
type Given = Partial<Static<typeof Change>>;

export const readSipUsers = (db: Kysely<Tables>, domainId: string) =>
  db
    .selectFrom('sip_user as user')
    .innerJoin('sip_domain as domain', 'domain.id', 'user.domain_id')
    .leftJoin('lease', (join) => join.onRef('lease.id', '=', 'user.tn_lease_id').on('lease.released_on', 'is', null))
    .selectAll('user')
    .select(['domain.domain', 'domain.created_on as domain_created_on', 'domain.modified_on as domain_modified_on'])
    .select('lease.tn')
    .select(
      sql<Array<{ uuid: string; name: string }>>`array(
        select jsonb_build_object('uuid', sip_group.id, 'name', sip_group.name)
        from sip_group_user join sip_group on sip_group.id = sip_group_user.group_id
        where sip_group_user.user_id = "user".id order by sip_group.name limit ${GROUPS_MAX})`.as('groups'),
    )
    .where('user.domain_id', '=', domainId);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof readSipUsers>['executeTakeFirst']>>>;

export const sipUserOf = (row: Row): Static<typeof SipUser> => ({
  uuid: row.id,
  login: row.login,
  first_name: row.first_name,
  last_name: row.last_name,
  email: row.email,
  phone_number: row.phone_number,
  avatar: row.avatar,
  dob: row.dob,
  gender: row.gender as 'Other' | null,
  same_domain_calls_only: row.same_domain_calls_only,
  is_active: row.is_active,
  state: 'offline',
  tn_lease: row.tn_lease_id && row.tn ? { uuid: row.tn_lease_id, tn: { tn: Number(row.tn) } } : null,
  sip_domain: {
    domain: row.domain,
    created_on: stamp(row.domain_created_on),
    modified_on: stamp(row.domain_modified_on),
  },
  groups: row.groups,
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

/** The password itself goes nowhere: its digests take its place. */
async function columnsOf(seal: LookupSeal, id: string, login: string, domain: string, given: Given) {
  const { password, tn_lease, login: _, ...same } = given;
  return {
    ...same,
    ...(tn_lease !== undefined && { tn_lease_id: tn_lease }),
    ...(password !== undefined && (await sealedDigests(seal, id, digestsOf(login, domain, password)))),
  };
}

const taken = whileTaken('the domain has a user with this login');

/** @throws RestError 409 where the login is taken, or the domain has as many as it may */
export async function makeSipUser(
  tx: Transaction<Tables>,
  seal: LookupSeal,
  domain: { id: string; domain: string },
  body: Static<typeof New>,
): Promise<string> {
  await mustHaveRoom(tx, 'sip_user', domain.id, USERS_MAX, 'domain');
  const id = randomUUID();
  const { login, password, tn_lease = null, ...same } = body;
  const secret = await sealedDigests(seal, id, digestsOf(login, domain.domain, password));
  await tx
    .insertInto('sip_user')
    .values({ ...same, ...secret, id, login, domain_id: domain.id, tn_lease_id: tn_lease })
    .execute()
    .catch(taken);
  return id;
}

export async function changeSipUser(
  db: Kysely<Tables>,
  seal: LookupSeal,
  domain: { id: string; domain: string },
  id: string,
  given: Given,
): Promise<void> {
  const { login, password } = given;
  // The digests are made of both.
  if (login !== undefined && password === undefined)
    throw badInput({ 'body.password': { message: 'is missing: a new login needs it' } });
  const now = await db
    .selectFrom('sip_user')
    .select('login')
    .where('id', '=', id)
    .where('domain_id', '=', domain.id)
    .executeTakeFirst();
  if (!now) return;
  const columns = await columnsOf(seal, id, login ?? now.login, domain.domain, given);
  await db
    .updateTable('sip_user')
    .set({ ...columns, ...(login !== undefined && { login }), modified_on: new Date() })
    .where('id', '=', id)
    .where('domain_id', '=', domain.id)
    .execute()
    .catch(taken);
  // A mail from before must not undo it.
  if (password !== undefined) await db.deleteFrom('password_reset').where('sip_user_id', '=', id).execute();
}

const storeOf = (
  db: Database,
  seal: LookupSeal,
): Store<OwnDomain, Static<typeof SipUser>, Static<typeof New>, Static<typeof Change>> => {
  const users = kept(db, {
    table: 'sip_user',
    ...OF_DOMAIN,
    max: USERS_MAX,
    order: 'login',
    read: ({ id }) => readSipUsers(db, id),
    shown: (rows: Row[]) => rows.map(sipUserOf),
  });
  return {
    ...users,
    async make(body, domain) {
      await mustLease(db, domain.accountId, 'tn_lease', body.tn_lease);
      const id = await db.transaction().execute((tx) => makeSipUser(tx, seal, domain, body));
      return (await users.one(id, domain))!;
    },
    async change(uuid, body, domain) {
      await mustLease(db, domain.accountId, 'tn_lease', body.tn_lease);
      await changeSipUser(db, seal, domain, uuid, body);
      return users.one(uuid, domain);
    },
  };
};

export const sipUsers =
  (db: Database, seal: LookupSeal): FastifyPluginAsyncTypebox =>
  async (http) =>
    resource(http, {
      path: '/sip/domain/:domain/user',
      tag: 'SIP domains',
      id: 'SIPUser',
      ids: { list: 'ListSIPUsersBySIPDomainUUID' },
      called: 'a SIP user',
      plural: 'SIP users of a domain',
      shape: SipUser,
      fresh: New,
      change: Change,
      store: storeOf(db, seal),
      within: withinDomain(db),
    });
