/** Which numbers an app has: listed, pointed to it, taken away (reference 2.9). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Database, Tables } from '../database/database.ts';
import { answers, ok, Uuid, UuidPath } from './envelope.ts';
import { notFound } from './errors.ts';
import { LEASE_COLUMNS, Lease, leaseOf, oneLease, point, readLeases } from './lease-rows.ts';
import { operation } from './operation.ts';

const ASSIGNED_MAX = 1000;

const Assign = Type.Object({
  add: Type.Optional(Type.Array(Uuid, { maxItems: 100 })),
  remove: Type.Optional(Type.Array(Uuid, { maxItems: 100 })),
});

const hasApp = async (db: Kysely<Tables>, appId: string, accountId: string) =>
  (await db
    .selectFrom('app')
    .select('id')
    .where('id', '=', appId)
    .where('account_id', '=', accountId)
    .executeTakeFirst()) !== undefined;

export const assignments =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const ofApp = { params: UuidPath, response: answers(Type.Array(Lease), { failures: [404] }) };
    const leasesOf = async (appId: string, accountId: string, from: Kysely<Tables> = db) =>
      (
        await readLeases(from, accountId)
          .where('lease.app_id', '=', appId)
          .select(LEASE_COLUMNS)
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
            const row = await oneLease(tx, id, accountId);
            if (row.app_id === params.uuid) await point(tx, row, accountId, null);
          }
          for (const id of body.add ?? []) await point(tx, await oneLease(tx, id, accountId), accountId, params.uuid);
          return ok(await leasesOf(params.uuid, accountId, tx));
        }),
    );
  };
