/** Numbers of an account: found, pointed at an app, screened, renewed or not, given back (reference 2.6). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { answers, ok, optionalBody, PageQuery, pageOf, Uuid } from './envelope.ts';
import { LEASE_COLUMNS, Lease, leaseOf, oneLease, point, readLeases, release } from './lease-rows.ts';
import { likeOf } from './numbers.ts';
import { operation } from './operation.ts';
import { mustOwn } from './references.ts';

const LeasePath = Type.Object({ lease: Type.String({ minLength: 1, maxLength: 36, description: 'UUID or number.' }) });
const Change = Type.Object({
  autorenew: Type.Optional(Type.Boolean()),
  sip_control_app: Type.Optional(Type.Union([Uuid, Type.Null()])),
  tn_profile: Type.Optional(Type.Union([Uuid, Type.Null()])),
});

export const leases =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
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
      const mine = readLeases(db, identity.accountId)
        .$if(body.tn !== undefined, (q) => q.where('lease.tn', 'like', likeOf(body.tn!)))
        .$if(body.autorenew !== undefined, (q) => q.where('lease.autorenew', '=', body.autorenew!))
        .$if(body.sip_control_app !== undefined, (q) => q.where('lease.app_id', '=', body.sip_control_app!));
      const [{ total }, rows] = await Promise.all([
        mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        mine
          .select(LEASE_COLUMNS)
          .orderBy('lease.created_on', 'desc')
          .orderBy('lease.id')
          .limit(take)
          .offset(skip)
          .execute(),
      ]);
      return ok({ take, skip, total: Number(total), data: rows.map(leaseOf) });
    });

    const found = { params: LeasePath, response: answers(Lease, { failures: [404] }) };
    const called = (...said: Parameters<typeof operation>) => ({ schema: { ...operation(...said), ...found } });
    http.get('/lease/tn/:lease', called('GetTNLeaseByUUID', 'Leases', 'Read a lease'), async ({ identity, params }) =>
      ok(leaseOf(await oneLease(db, params.lease, identity.accountId))),
    );

    http.patch(
      '/lease/tn/:lease',
      {
        schema: {
          ...operation(
            'ModifyTNLease',
            'Leases',
            'Change a lease',
            'Where its calls go, who may call it, whether it is renewed.',
          ),
          ...found,
          body: Change,
        },
      },
      async ({ identity, params, body }) => {
        const { accountId } = identity;
        return db.transaction().execute(async (tx) => {
          const row = await oneLease(tx, params.lease, accountId);
          const { sip_control_app: app, tn_profile: profile, autorenew } = body;
          await mustOwn(tx, accountId, 'app', 'sip_control_app', app);
          await mustOwn(tx, accountId, 'tn_profile', 'tn_profile', profile);
          await tx
            .updateTable('lease')
            .set({
              ...(autorenew !== undefined && { autorenew }),
              ...(profile !== undefined && { tn_profile_id: profile }),
              modified_on: new Date(),
            })
            .where('id', '=', row.id)
            .execute();
          if (app !== undefined) await point(tx, row, accountId, app);
          return ok(leaseOf(await oneLease(tx, row.id, accountId)));
        });
      },
    );

    http.delete(
      '/lease/tn/:lease',
      called('RemoveTNLeaseByUUID', 'Leases', 'Give a number back'),
      async ({ identity, params }) =>
        db.transaction().execute(async (tx) => {
          const row = await oneLease(tx, params.lease, identity.accountId);
          await release(tx, row);
          return ok(leaseOf(row));
        }),
    );
  };
