/** Switches of a SIP domain: machines of the customer whose calls are sent on without a password (reference 1.9, 2.10). */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import { whileTaken } from '../../database/constraints.ts';
import type { Database, Tables } from '../../database/database.ts';
import { mustHaveRoom } from '../../database/quota.ts';
import { Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { resource, type Store } from '../../rest/resource.ts';
import { type OwnDomain, withinDomain } from './sip-domains.ts';

const SWITCHES_MAX = 1000;

const Fields = {
  name: Type.String({ minLength: 1, maxLength: 255 }),
  description: Type.String({ maxLength: 1024 }),
  remote_ip: Type.Union([
    Type.String({ format: 'ipv4', maxLength: 15 }),
    Type.String({ format: 'ipv6', maxLength: 45 }),
  ]),
  remote_domain: Type.String({ maxLength: 253, description: 'Stored; an address is what authorises.' }),
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
const taken = whileTaken('the domain has a switch with this address: change that one');

const storeOf = (db: Database): Store<OwnDomain, Static<typeof Switch>, Static<typeof New>, Static<typeof Change>> => ({
  list: async (domain) =>
    (await read(db, domain).orderBy('created_on').orderBy('id').limit(SWITCHES_MAX).execute()).map((row) =>
      switchOf(row, domain),
    ),
  async one(uuid, domain) {
    const row = await read(db, domain).where('id', '=', uuid).executeTakeFirst();
    return row && switchOf(row, domain);
  },
  async make(body, domain) {
    const fresh = { ...body, id: randomUUID(), domain_id: domain.id };
    const [row] = await db.transaction().execute(async (tx) => {
      await mustHaveRoom(tx, 'sip_switch', domain.id, SWITCHES_MAX, 'domain');
      return tx.insertInto('sip_switch').values(fresh).returningAll().execute().catch(taken);
    });
    return switchOf(row!, domain);
  },
  async change(uuid, body, domain) {
    const [row] = await db
      .updateTable('sip_switch')
      .set({ ...body, modified_on: new Date() })
      .where('id', '=', uuid)
      .where('domain_id', '=', domain.id)
      .returningAll()
      .execute()
      .catch(taken);
    return row && switchOf(row, domain);
  },
  async remove(uuid, domain) {
    const row = await db
      .deleteFrom('sip_switch')
      .where('id', '=', uuid)
      .where('domain_id', '=', domain.id)
      .returningAll()
      .executeTakeFirst();
    return row && switchOf(row, domain);
  },
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
      store: storeOf(db),
      within: withinDomain(db),
    });
