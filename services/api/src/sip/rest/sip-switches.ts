/** Switches of a SIP domain: machines of the customer whose calls are sent on without a password (reference 1.9, 2.10). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { storedOnly } from '../../rest/known.ts';
import { resource } from '../../rest/resource.ts';
import { storeIn } from '../../rest/store.ts';
import { OF_DOMAIN, type OwnDomain, withinDomain } from './sip-domains.ts';

const SWITCHES_MAX = 1000;

const Fields = {
  name: Type.String({ minLength: 1, maxLength: 255 }),
  description: Type.String({ maxLength: 1024 }),
  remote_ip: Type.Union([
    Type.String({ format: 'ipv4', maxLength: 15 }),
    Type.String({ format: 'ipv6', maxLength: 45 }),
  ]),
  remote_domain: Type.String({ maxLength: 253, ...storedOnly('an address is what authorises') }),
  is_active: Type.Boolean(),
};
const Switch = Type.Object(
  { uuid: Uuid, ...Fields, sip_domain: Type.Object({ domain: Type.String() }), ...Stamps },
  { title: 'SIPSwitch' },
);
const Change = Type.Partial(Type.Object(Fields));
const New = Type.Intersect([
  Type.Object({ name: Fields.name, remote_ip: Fields.remote_ip }),
  Type.Omit(Change, ['name', 'remote_ip']),
]);

const read = (db: Kysely<Tables>, { id }: OwnDomain) =>
  db.selectFrom('sip_switch').selectAll().where('domain_id', '=', id);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirst']>>>;
const switchOf = (row: Row, { domain }: OwnDomain): Static<typeof Switch> => ({
  uuid: row.id,
  name: row.name,
  description: row.description,
  remote_ip: row.remote_ip,
  remote_domain: row.remote_domain,
  is_active: row.is_active,
  sip_domain: { domain },
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});
export const sipSwitches =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) =>
    resource(http, {
      path: '/sip/domain/:domain/switch',
      tag: 'SIP domains',
      id: 'SIPSwitch',
      ids: { list: 'ListSIPSwitchesBySIPDomainUUID' },
      called: 'a switch',
      plural: 'switches of a domain',
      shape: Switch,
      fresh: New,
      change: Change,
      example: { name: 'Gateway', remote_ip: '192.0.2.8' },
      store: storeIn(db, {
        table: 'sip_switch',
        ...OF_DOMAIN,
        max: SWITCHES_MAX,
        read: (domain) => read(db, domain),
        shown: (rows: Row[], domain) => rows.map((row) => switchOf(row, domain)),
        fresh: (body: Static<typeof New>) => body,
        changed: (change: Static<typeof Change>) => change,
        whileTaken: 'the domain has a switch with this address: change that one',
      }),
      within: withinDomain(db),
    });
