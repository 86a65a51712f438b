/** SIP domains: names of an account by which it is called, and where such calls go (reference 1.10, 2.10). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Kysely, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { mustOwn } from '../../database/references.ts';
import type { Identity } from '../../rest/auth/identity.ts';
import { answers, ok, Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { notFound } from '../../rest/errors.ts';
import { operation } from '../../rest/operation.ts';
import { resource } from '../../rest/resource.ts';
import { OF_ACCOUNT, storeIn } from '../../rest/store.ts';
import { HOST } from './sip-connections.ts';

const DOMAINS_MAX = 1000;

const Name = Type.String({ pattern: HOST, maxLength: 253, description: 'ours.sip.example.com' });
const Named = Type.Union([Type.Object({ uuid: Uuid, name: Type.String() }), Type.Null()]);
const Domain = Type.Object(
  {
    domain: Type.String(),
    sip_connection: Named,
    sip_control_app: Named,
    outbound_voice_profile: Named,
    ...Stamps,
  },
  { title: 'SIPDomain' },
);
const Goal = Type.Optional(Type.Union([Uuid, Type.Null()]));
const Change = Type.Object({ sip_connection: Goal, sip_control_app: Goal, outbound_voice_profile: Goal });
const New = Type.Intersect([Type.Object({ domain: Name }), Change]);

const read = (db: Kysely<Tables>, { accountId }: Identity) =>
  db
    .selectFrom('sip_domain as domain')
    .leftJoin('app', 'app.id', 'domain.app_id')
    .leftJoin('sip_connection as connection', 'connection.id', 'domain.connection_id')
    .leftJoin('outbound_voice_profile as profile', 'profile.id', 'domain.outbound_voice_profile_id')
    .selectAll('domain')
    .select(['app.name as app_name', 'connection.name as connection_name', 'profile.name as profile_name'])
    .where('domain.account_id', '=', accountId);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirst']>>>;

const named = (uuid: string | null, name: string | null) => (uuid ? { uuid, name: name ?? '' } : null);
const domainOf = (row: Row): Static<typeof Domain> => ({
  domain: row.domain,
  sip_connection: named(row.connection_id, row.connection_name),
  sip_control_app: named(row.app_id, row.app_name),
  outbound_voice_profile: named(row.outbound_voice_profile_id, row.profile_name),
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

const columnsOf = ({ sip_connection, sip_control_app, outbound_voice_profile }: Static<typeof Change>) => ({
  ...(sip_connection !== undefined && { connection_id: sip_connection }),
  ...(sip_control_app !== undefined && { app_id: sip_control_app }),
  ...(outbound_voice_profile !== undefined && { outbound_voice_profile_id: outbound_voice_profile }),
});

const check = async (db: Database, given: Static<typeof Change>, { accountId }: Identity) => {
  await mustOwn(db, accountId, 'app', 'sip_control_app', given.sip_control_app);
  await mustOwn(db, accountId, 'sip_connection', 'sip_connection', given.sip_connection);
  await mustOwn(db, accountId, 'outbound_voice_profile', 'outbound_voice_profile', given.outbound_voice_profile);
};

export type OwnDomain = { id: string; domain: string; accountId: string; created_on: Date; modified_on: Date };

/** Rows of a domain. */
export const OF_DOMAIN = { owner: 'domain', ownerId: ({ id }: OwnDomain) => id } as const;

/** What lies below a domain of the account. */
export const withinDomain = (db: Database) => ({
  params: Type.Object({ domain: Type.String({ minLength: 1, maxLength: 253 }) }),
  async whose({ domain }: Record<string, string>, { accountId }: Identity): Promise<OwnDomain> {
    const row = await db
      .selectFrom('sip_domain')
      .select(['id', 'domain', 'created_on', 'modified_on'])
      .where('domain', '=', domain!.toLowerCase())
      .where('account_id', '=', accountId)
      .executeTakeFirst();
    if (!row) throw notFound('SIP domain');
    return { ...row, accountId };
  },
});

const PrefixPath = Type.Object({
  tn: Type.String({ pattern: '^\\+?[0-9]{3,15}$', description: 'a telephone number' }),
  domain: Type.String({ minLength: 1, maxLength: 253 }),
});
const Prefix = Type.Object(
  {
    tn: Type.Integer(),
    domain: Type.String(),
    tech_prefix: Type.Integer({
      description: 'Of the connection, else of the outbound voice profile, else of the app.',
    }),
  },
  { title: 'TechPrefixRoute' },
);

export const techPrefixes =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const schema = {
      ...operation('GetTechPrefixRoute', 'SIP domains', 'By which tech prefix a domain sends a number on'),
      params: PrefixPath,
      response: answers(Prefix, { failures: [404] }),
    };
    http.get('/sip/tech_prefix/:tn/:domain', { schema }, async ({ identity, params }) => {
      const row = await read(db, identity)
        .select(sql<number | null>`coalesce(connection.tech_prefix, profile.tech_prefix, app.tech_prefix)`.as('prefix'))
        .where('domain.domain', '=', params.domain.toLowerCase())
        .executeTakeFirst();
      if (!row) throw notFound('SIP domain');
      if (row.prefix === null) throw notFound('route: the domain leads nowhere');
      return ok({ tn: Number(params.tn.replace('+', '')), domain: row.domain, tech_prefix: row.prefix });
    });
  };

export const sipDomains =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) =>
    resource(http, {
      path: '/sip/domain',
      tag: 'SIP domains',
      id: 'SIPDomain',
      ids: {
        read: 'GetSIPDomainByDomainName',
        change: 'ModifySIPDomainByDomainName',
        remove: 'RemoveSIPDomainByDomainName',
      },
      called: 'a SIP domain',
      plural: 'SIP domains',
      shape: Domain,
      fresh: New,
      change: Change,
      store: storeIn(db, {
        table: 'sip_domain',
        ...OF_ACCOUNT,
        max: DOMAINS_MAX,
        key: { column: 'domain', of: (name) => name.toLowerCase() },
        read: (who) => read(db, who),
        shown: (rows: Row[]) => rows.map(domainOf),
        check: (given: Static<typeof Change>, who) => check(db, given, who),
        fresh(body: Static<typeof New>) {
          const nowhere = { app_id: null, connection_id: null, outbound_voice_profile_id: null };
          return { ...nowhere, ...columnsOf(body), domain: body.domain.toLowerCase() };
        },
        changed: columnsOf,
        whileTaken: 'somebody has this domain already: choose another name',
        whileNamed: 'the domain has users or switches: remove them first',
      }),
      removal: 'Refused (409) while it has users or switches; its invites go with it.',
      key: { name: 'domain', schema: Type.String({ minLength: 1, maxLength: 253 }) },
    });
