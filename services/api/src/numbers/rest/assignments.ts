/** Which numbers an app or a connection has: listed, pointed to it, taken away. A number has one of them (reference 2.8, 2.9). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { OWNED, owns } from '../../database/references.ts';
import { answers, ok, Uuid, UuidPath } from '../../rest/envelope.ts';
import { notFound } from '../../rest/errors.ts';
import { operation } from '../../rest/operation.ts';
import { LEASE_COLUMNS, NOWHERE, oneLease, point, readLeases } from '../leases.ts';
import { Lease, leaseOf } from './lease-object.ts';

const ASSIGNED_MAX = 1000;

const Assign = Type.Object({
  add: Type.Optional(Type.Array(Uuid, { maxItems: 100 })),
  remove: Type.Optional(Type.Array(Uuid, { maxItems: 100 })),
});

const KINDS = [
  { table: 'app', column: 'app_id', path: '/sip/app', id: 'SIPControlApp', tag: 'SIP apps', called: 'an app' },
  {
    table: 'sip_connection',
    column: 'connection_id',
    path: '/sip/connection',
    id: 'SIPConnection',
    tag: 'SIP connections',
    called: 'a connection',
  },
] as const;

export const assignments =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    for (const { table, column, path, id, tag, called } of KINDS) {
      const mustBe = async (from: Kysely<Tables>, uuid: string, accountId: string) => {
        if (!(await owns(from, accountId, table, uuid))) throw notFound(OWNED[table]);
      };
      const leasesOf = async (uuid: string, accountId: string, from: Kysely<Tables> = db) =>
        (
          await readLeases(from, accountId)
            .where(`lease.${column}`, '=', uuid)
            .select(LEASE_COLUMNS)
            .orderBy('lease.tn')
            .limit(ASSIGNED_MAX)
            .execute()
        ).map(leaseOf);
      const of = { params: UuidPath, response: answers(Type.Array(Lease), { failures: [404] }) };
      http.get(
        `${path}/:uuid/tnlease`,
        { schema: { ...operation(`Get${id}TNLeasesList`, tag, `List numbers of ${called}`), ...of } },
        async ({ identity, params }) => {
          await mustBe(db, params.uuid, identity.accountId);
          return ok(await leasesOf(params.uuid, identity.accountId));
        },
      );
      const says = 'All of it or nothing. A number that went elsewhere goes here from now on.';
      http.post(
        `${path}/:uuid/tnlease`,
        {
          schema: {
            ...operation(`AssignTNLeasesTo${id}`, tag, `Point numbers to ${called}, or away`, says),
            ...of,
            body: Assign,
          },
        },
        async ({ identity, params, body }) =>
          db.transaction().execute(async (tx) => {
            const { accountId } = identity;
            await mustBe(tx, params.uuid, accountId);
            for (const lease of body.remove ?? []) {
              const row = await oneLease(tx, lease, accountId, 'lock');
              if (row[column] === params.uuid) await point(tx, row, accountId, NOWHERE);
            }
            for (const lease of body.add ?? []) {
              const row = await oneLease(tx, lease, accountId, 'lock');
              await point(tx, row, accountId, { ...NOWHERE, [column]: params.uuid });
            }
            return ok(await leasesOf(params.uuid, accountId, tx));
          }),
      );
    }
  };
