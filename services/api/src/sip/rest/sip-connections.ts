/** SIP connections: a customer's own equipment, where calls of the numbers on it are sent (reference 1.8, 2.8). */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import { whileNamed } from '../../database/constraints.ts';
import type { Database, Tables } from '../../database/database.ts';
import { mustHaveRoom } from '../../database/quota.ts';
import type { Identity } from '../../rest/auth/identity.ts';
import { Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { badInput } from '../../rest/errors.ts';
import { WithoutEffect } from '../../rest/known.ts';
import { resource, type Store } from '../../rest/resource.ts';
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
  Type.Object({ ...Fields, ...Address, ...TRUNK_CHANGE, uuid: WithoutEffect, subdomain: WithoutEffect }),
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

const storeOf = (
  db: Database,
): Store<Identity, Static<typeof Connection>, Static<typeof New>, Static<typeof Change>> => {
  const one = async (uuid: string, who: Identity) => {
    const row = await read(db, who).where('id', '=', uuid).executeTakeFirst();
    return row && connectionOf(row, await productsOf(db));
  };
  return {
    one,
    async list(who) {
      const products = await productsOf(db);
      const rows = await read(db, who).orderBy('created_on').orderBy('id').limit(CONNECTIONS_MAX).execute();
      return rows.map((row) => connectionOf(row, products));
    },
    async make(body, who) {
      await mustNameOwn(db, who.accountId, body);
      const id = randomUUID();
      const none = { ip: null, hostname: null, outbound_voice_profile_id: null };
      const fresh = { ...none, ...columnsOf(body, true), name: body.name, id, account_id: who.accountId };
      await db.transaction().execute(async (tx) => {
        await mustHaveRoom(tx, 'sip_connection', who.accountId, CONNECTIONS_MAX);
        await tx.insertInto('sip_connection').values(fresh).execute();
      });
      return (await one(id, who))!;
    },
    async change(uuid, body, who) {
      await mustNameOwn(db, who.accountId, body);
      await db
        .updateTable('sip_connection')
        .set({ ...columnsOf(body, false), modified_on: new Date() })
        .where('id', '=', uuid)
        .where('account_id', '=', who.accountId)
        .execute();
      return one(uuid, who);
    },
    async remove(uuid, who) {
      const found = await one(uuid, who);
      if (!found) return undefined;
      await db
        .transaction()
        .execute(async (tx) => {
          const { accountId } = who;
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
      store: storeOf(db),
      removal: 'Its numbers go nowhere then (404). Refused (409) while a domain sends calls to it.',
    });
