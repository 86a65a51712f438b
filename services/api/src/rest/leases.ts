/** Numbers of an account: found, pointed at an app, renewed or not, given back (reference 2.6, 2.9). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../database/database.ts';
import { isUuid } from '../directory/uuid.ts';
import { answers, Moment, ok, optionalBody, PageQuery, pageOf, Stamps, stamp, Uuid, UuidPath } from './envelope.ts';
import { badInput, notFound } from './errors.ts';
import { likeOf } from './numbers.ts';
import { operation } from './operation.ts';

const ASSIGNED_MAX = 1000;

const Lease = Type.Object({
  uuid: Uuid,
  tn: Type.Object({ tn: Type.Integer(), type: Type.String(), state: Type.String() }),
  features: Type.Array(Type.String()),
  autorenew: Type.Boolean(),
  expired_on: Moment,
  sip_control_app: Type.Union([Type.Object({ uuid: Uuid, name: Type.String() }), Type.Null()]),
  ...Stamps,
});
const LeasePath = Type.Object({ lease: Type.String({ minLength: 1, maxLength: 36, description: 'UUID or number.' }) });
const Change = Type.Object({
  autorenew: Type.Optional(Type.Boolean()),
  sip_control_app: Type.Optional(Type.Union([Uuid, Type.Null()])),
});
const Assign = Type.Object({
  add: Type.Optional(Type.Array(Uuid, { maxItems: 100 })),
  remove: Type.Optional(Type.Array(Uuid, { maxItems: 100 })),
});

const read = (db: Kysely<Tables>, accountId: string) =>
  db
    .selectFrom('lease')
    .innerJoin('inventory', 'inventory.tn', 'lease.tn')
    .leftJoin('app', 'app.id', 'lease.app_id')
    .where('lease.account_id', '=', accountId)
    .where('lease.released_on', 'is', null);
const COLUMNS = [
  'lease.id',
  'lease.tn',
  'lease.features',
  'lease.autorenew',
  'lease.expires_on',
  'lease.app_id',
  'lease.created_on',
  'lease.modified_on',
  'inventory.kind',
  'inventory.state',
  'app.name as app_name',
] as const;
type Row = {
  id: string;
  tn: string;
  features: string[];
  autorenew: boolean;
  expires_on: Date;
  app_id: string | null;
  app_name: string | null;
  created_on: Date;
  modified_on: Date;
  kind: string;
  state: string;
};

const leaseOf = (row: Row): Static<typeof Lease> => ({
  uuid: row.id,
  tn: { tn: Number(row.tn), type: row.kind, state: row.state },
  features: row.features,
  autorenew: row.autorenew,
  expired_on: stamp(row.expires_on),
  sip_control_app: row.app_id ? { uuid: row.app_id, name: row.app_name ?? '' } : null,
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

/** Where calls of the number go from now on; null: nowhere. */
async function point(tx: Kysely<Tables>, lease: { id: string; tn: string }, accountId: string, appId: string | null) {
  await tx.updateTable('lease').set({ app_id: appId, modified_on: new Date() }).where('id', '=', lease.id).execute();
  if (appId === null) await tx.deleteFrom('number').where('number', '=', lease.tn).execute();
  else
    await tx
      .insertInto('number')
      .values({ number: lease.tn, account_id: accountId, app_id: appId })
      .onConflict((c) => c.column('number').doUpdateSet({ account_id: accountId, app_id: appId }))
      .execute();
}

const hasApp = async (db: Kysely<Tables>, appId: string, accountId: string) =>
  (await db
    .selectFrom('app')
    .select('id')
    .where('id', '=', appId)
    .where('account_id', '=', accountId)
    .executeTakeFirst()) !== undefined;

export const leases =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const one = async (name: string, accountId: string, from: Kysely<Tables> = db) => {
      const isNumber = /^\+?\d{8,15}$/.test(name);
      if (!isNumber && !isUuid(name)) throw notFound('leased number');
      const row = await read(from, accountId)
        .where(isNumber ? 'lease.tn' : 'lease.id', '=', name.replace('+', ''))
        .select(COLUMNS)
        .executeTakeFirst();
      if (!row) throw notFound('leased number');
      return row;
    };

    const Filters = Type.Object({
      tn: Type.Optional(Type.String({ pattern: '^[0-9*%]{1,15}$', description: 'digits; * any run, % one digit' })),
      autorenew: Type.Optional(Type.Boolean()),
      sip_control_app: Type.Optional(Uuid),
    });
    const searched = {
      ...operation('SearchTNLeases', 'Leases', 'Search numbers of the account'),
      querystring: PageQuery,
      body: optionalBody(Filters),
      response: answers(pageOf(Lease)),
    };
    http.post('/lease/tn/search', { schema: searched }, async ({ identity, query, body: given }) => {
      const body = given ?? {};
      const { take = 10, skip = 0 } = query;
      const mine = read(db, identity.accountId)
        .$if(body.tn !== undefined, (q) => q.where('lease.tn', 'like', likeOf(body.tn!)))
        .$if(body.autorenew !== undefined, (q) => q.where('lease.autorenew', '=', body.autorenew!))
        .$if(body.sip_control_app !== undefined, (q) => q.where('lease.app_id', '=', body.sip_control_app!));
      const [{ total }, rows] = await Promise.all([
        mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        mine.select(COLUMNS).orderBy('lease.created_on', 'desc').orderBy('lease.id').limit(take).offset(skip).execute(),
      ]);
      return ok({ take, skip, total: Number(total), data: rows.map(leaseOf) });
    });

    const found = { params: LeasePath, response: answers(Lease, { failures: [404] }) };
    const called = (...said: Parameters<typeof operation>) => ({ schema: { ...operation(...said), ...found } });
    http.get('/lease/tn/:lease', called('GetTNLeaseByUUID', 'Leases', 'Read a lease'), async ({ identity, params }) =>
      ok(leaseOf(await one(params.lease, identity.accountId))),
    );

    http.patch(
      '/lease/tn/:lease',
      {
        schema: {
          ...operation('ModifyTNLease', 'Leases', 'Change a lease', 'Where its calls go, and whether it is renewed.'),
          ...found,
          body: Change,
        },
      },
      async ({ identity, params, body }) => {
        const { accountId } = identity;
        return db.transaction().execute(async (tx) => {
          const row = await one(params.lease, accountId, tx);
          const appId = body.sip_control_app;
          if (appId && !(await hasApp(tx, appId, accountId)))
            throw badInput({ 'body.sip_control_app': { message: 'is no app of this account', value: appId } });
          if (body.autorenew !== undefined)
            await tx.updateTable('lease').set({ autorenew: body.autorenew }).where('id', '=', row.id).execute();
          if (appId !== undefined) await point(tx, row, accountId, appId);
          return ok(leaseOf(await one(row.id, accountId, tx)));
        });
      },
    );

    http.delete(
      '/lease/tn/:lease',
      called('RemoveTNLeaseByUUID', 'Leases', 'Give a number back'),
      async ({ identity, params }) =>
        db.transaction().execute(async (tx) => {
          const row = await one(params.lease, identity.accountId, tx);
          await point(tx, row, identity.accountId, null);
          await tx.updateTable('lease').set({ released_on: new Date() }).where('id', '=', row.id).execute();
          return ok(leaseOf(row));
        }),
    );

    const ofApp = { params: UuidPath, response: answers(Type.Array(Lease), { failures: [404] }) };
    const leasesOf = async (appId: string, accountId: string, from: Kysely<Tables> = db) =>
      (
        await read(from, accountId)
          .where('lease.app_id', '=', appId)
          .select(COLUMNS)
          .orderBy('lease.tn')
          .limit(ASSIGNED_MAX)
          .execute()
      ).map(leaseOf);
    http.get(
      '/sip/app/:uuid/tnlease',
      { schema: { ...operation('GetSIPControlAppTNLeasesList', 'SIP apps', 'List numbers of an app'), ...ofApp } },
      async ({ identity, params }) => {
        if (!(await hasApp(db, params.uuid, identity.accountId))) throw notFound('SIP control app');
        return ok(await leasesOf(params.uuid, identity.accountId));
      },
    );
    http.post(
      '/sip/app/:uuid/tnlease',
      {
        schema: {
          ...operation('AssignTNLeasesToSIPControlApp', 'SIP apps', 'Point numbers to an app, or away'),
          ...ofApp,
          body: Assign,
        },
      },
      async ({ identity, params, body }) =>
        db.transaction().execute(async (tx) => {
          const { accountId } = identity;
          if (!(await hasApp(tx, params.uuid, accountId))) throw notFound('SIP control app');
          for (const id of body.remove ?? []) {
            const row = await one(id, accountId, tx);
            if (row.app_id === params.uuid) await point(tx, row, accountId, null);
          }
          for (const id of body.add ?? []) await point(tx, await one(id, accountId, tx), accountId, params.uuid);
          return ok(await leasesOf(params.uuid, accountId, tx));
        }),
    );
  };
