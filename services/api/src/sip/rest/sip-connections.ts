/** SIP connections: a customer's own equipment, where calls of the numbers on it are sent (reference 1.8, 2.8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import { whileNamed } from '../../database/constraints.ts';
import type { Database, Tables } from '../../database/database.ts';
import type { Identity } from '../../rest/auth/identity.ts';
import { Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { badInput } from '../../rest/errors.ts';
import { storedOnly, WithoutEffect } from '../../rest/known.ts';
import { resource, type Store } from '../../rest/resource.ts';
import { OF_ACCOUNT, storeIn } from '../../rest/store.ts';
import { type Product, productsOf } from './products.ts';
import { mustNameOwn, TRUNK, TRUNK_CHANGE, trunkColumns, trunkOf, VERIFICATION } from './trunk-settings.ts';

const CONNECTIONS_MAX = 1000;
export const HOST =
  '^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$';

const Fields = {
  name: Type.String({ minLength: 1, maxLength: 255 }),
  is_active: Type.Boolean({ description: 'Switched off: calls of its numbers are refused with 480.' }),
  port: Type.Integer({ minimum: 1024, maximum: 65_535 }),
  ...VERIFICATION,
};
const Address = {
  ip: Type.Union([Type.String({ format: 'ipv4', maxLength: 15 }), Type.Null()]),
  hostname: Type.Union([Type.String({ pattern: HOST, maxLength: 253, description: 'pbx.example.com' }), Type.Null()]),
};
const Connection = Type.Object(
  {
    uuid: Uuid,
    ...Fields,
    ...Address,
    ...TRUNK,
    ...Stamps,
  },
  { title: 'SIPConnection' },
);
const Change = Type.Partial(
  Type.Object({
    ...Fields,
    ...Address,
    ...TRUNK_CHANGE,
    outbound_voice_profile: Type.Union(
      [Uuid, Type.Null()],
      storedOnly('what a connection is sent goes to the customer’s own equipment, and by no profile'),
    ),
    uuid: WithoutEffect,
    subdomain: WithoutEffect,
  }),
);
const New = Type.Intersect([Type.Object({ name: Fields.name }), Type.Omit(Change, ['name'])]);
type Given = Partial<Static<typeof Change>>;

const read = (db: Kysely<Tables>, { accountId }: Identity) =>
  db.selectFrom('sip_connection').selectAll().where('account_id', '=', accountId);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirst']>>>;

const connectionOf = (row: Row, products: Map<number, Static<typeof Product>>): Static<typeof Connection> => ({
  uuid: row.id,
  name: row.name,
  is_active: row.is_active,
  ip: row.ip,
  hostname: row.hostname,
  port: row.port,
  ...trunkOf(row, products),
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

/** The address is one of both: what is given takes the place of the other. @throws RestError 400 */
function addressOf({ ip, hostname }: Given, isNew: boolean): { ip?: string | null; hostname?: string | null } {
  const field = (message: string) => badInput({ 'body.ip': { message } });
  if (ip && hostname) throw field('stands beside hostname: give one of them');
  if (ip) return { ip, hostname: null };
  if (hostname) return { ip: null, hostname };
  if (isNew || ip === null || hostname === null) throw field('or hostname must say where the equipment is');
  return {};
}

function columnsOf(given: Given, isNew: boolean) {
  const { ip: _, hostname: __, ...rest } = given;
  return { ...trunkColumns(rest), ...addressOf(given, isNew) };
}

/** Its numbers go nowhere then. */
const remove = (db: Database, uuid: string, { accountId }: Identity) =>
  db
    .transaction()
    .execute(async (tx) => {
      const on = { connection_id: null, modified_on: new Date() };
      await tx.deleteFrom('number').where('connection_id', '=', uuid).where('account_id', '=', accountId).execute();
      await tx
        .updateTable('lease')
        .set(on)
        .where('connection_id', '=', uuid)
        .where('account_id', '=', accountId)
        .execute();
      await tx.deleteFrom('sip_connection').where('id', '=', uuid).where('account_id', '=', accountId).execute();
    })
    .catch(whileNamed('a domain sends calls to this connection: give it another first'));

const storeOf = (
  db: Database,
): Store<Identity, Static<typeof Connection>, Static<typeof New>, Static<typeof Change>> => {
  const store = storeIn(db, {
    table: 'sip_connection',
    ...OF_ACCOUNT,
    max: CONNECTIONS_MAX,
    read: (who) => read(db, who),
    async shown(rows: Row[]) {
      const products = await productsOf(db);
      return rows.map((row) => connectionOf(row, products));
    },
    check: (given: Given, { accountId }) => mustNameOwn(db, accountId, given),
    fresh(body: Static<typeof New>) {
      const none = { ip: null, hostname: null, outbound_voice_profile_id: null };
      return { ...none, ...columnsOf(body, true), name: body.name };
    },
    changed: (change: Static<typeof Change>) => columnsOf(change, false),
  });
  return {
    ...store,
    async remove(uuid, who) {
      const found = await store.one(uuid, who);
      if (found) await remove(db, uuid, who);
      return found;
    },
  };
};

export const sipConnections =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) =>
    resource(http, {
      path: '/sip/connection',
      tag: 'SIP connections',
      id: 'SIPConnection',
      ids: { remove: 'RemoveSIPConnectionByID' },
      called: 'a SIP connection',
      plural: 'SIP connections',
      shape: Connection,
      fresh: New,
      change: Change,
      example: { name: 'PBX', ip: '192.0.2.7' },
      store: storeOf(db),
      removal: 'Its numbers go nowhere then (404). Refused (409) while a domain sends calls to it.',
    });
