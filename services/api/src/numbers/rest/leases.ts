/** One number of an account: read, pointed at an app or a connection, screened, renewed or not, given back (reference 2.6). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { mustOwn } from '../../database/references.ts';
import { answers, ok, TelephoneNumber, Uuid } from '../../rest/envelope.ts';
import { badInput } from '../../rest/errors.ts';
import { storedOnly, WithoutEffect } from '../../rest/known.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { type Goal, type LeaseRow, oneLease, point, release } from '../leases.ts';
import { Lease, leaseOf } from './lease-object.ts';
import { FEATURES } from './number-search.ts';

const RELEASED_MAX = 100;

const Name = Type.String({ minLength: 1, maxLength: 36, description: 'UUID or number.' });
const LeasePath = Type.Object({ lease: Name });
const Named = Type.Optional(Type.Union([Uuid, Type.Null()]));
const Switch = Type.Optional(Type.Boolean());
const Capability = Type.Optional(
  Type.Boolean(storedOnly('calls of a number are not switched by it, and there are no faxes and messages')),
);
const Change = Type.Object({
  autorenew: Switch,
  voice: Capability,
  fax: Capability,
  sms: Capability,
  mms: Capability,
  emergency: Capability,
  sip_control_app: Named,
  sip_connection: Named,
  tn_profile: Named,
  messaging_profile: WithoutEffect,
  messaging_profile_uuid: WithoutEffect,
});
type Change = Static<typeof Change>;
const Released = Type.Object({
  item: Type.Array(Type.Union([Name, TelephoneNumber]), {
    minItems: 1,
    maxItems: RELEASED_MAX,
  }),
});
const Route = Type.Object(
  {
    tn: Type.Integer(),
    provider: Type.String({ description: 'Who brings calls of this number.' }),
    destination: Type.Union([
      Type.Object({
        type: Type.Union([Type.Literal('sip_control_app'), Type.Literal('sip_connection')]),
        uuid: Uuid,
        name: Type.String(),
      }),
      Type.Null(),
    ]),
  },
  { title: 'LeaseRoute' },
);

/** Where calls go after a change; undefined: as before. A new goal takes the place of the other. @throws RestError 400 */
function goalOf({ sip_control_app: app, sip_connection: connection }: Change, row: LeaseRow): Goal | undefined {
  if (app && connection)
    throw badInput({
      'body.sip_connection': { message: 'stands beside sip_control_app: a number goes to one of them' },
    });
  if (app) return { app_id: app, connection_id: null };
  if (connection) return { app_id: null, connection_id: connection };
  if (app === undefined && connection === undefined) return undefined;
  return {
    app_id: app === null ? null : row.app_id,
    connection_id: connection === null ? null : row.connection_id,
  };
}

/** @throws RestError 400 where the number can't do what is switched on */
async function featuresOf(db: Database, change: Change, row: LeaseRow): Promise<string[] | undefined> {
  if (FEATURES.every((name) => change[name] === undefined)) return undefined;
  const { features: able } = await db
    .selectFrom('inventory')
    .select('features')
    .where('tn', '=', row.tn)
    .executeTakeFirstOrThrow();
  for (const name of FEATURES)
    if (change[name] && !able.includes(name))
      throw badInput({ [`body.${name}`]: { message: `is nothing that ${row.tn} can do` } });
  return FEATURES.filter((name) => change[name] ?? row.features.includes(name));
}

const routeOf = (row: LeaseRow): Static<typeof Route> => {
  const to = (type: 'sip_control_app' | 'sip_connection', uuid: string, name: string | null) => ({
    type,
    uuid,
    name: name ?? '',
  });
  const destination = row.app_id
    ? to('sip_control_app', row.app_id, row.app_name)
    : row.connection_id
      ? to('sip_connection', row.connection_id, row.connection_name)
      : null;
  return { tn: Number(row.tn), provider: 'inventory', destination };
};

const found = { params: LeasePath, response: answers(Lease, { failures: [404] }) };

const called = (...said: Parameters<typeof operation>) => ({ schema: { ...operation(...said), ...found } });

export const leases =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    getTNLease(http, db);
    getTNLeaseRoute(http, db);
    modifyTNLease(http, db);
    removeTNLeaseByUUID(http, db);
    removeTNLeases(http, db);
  };

function getTNLease(http: Http, db: Database): void {
  for (const [path, id, summary] of [
    ['/lease/tn/:lease', 'GetTNLeaseByUUID', 'Read a lease'],
    ['/lease/tn/:lease/tn', 'GetTNLeaseByTN', 'Read the lease of a number'],
  ] as const)
    http.get(path, called(id, 'Leases', summary), async ({ identity, params }) =>
      ok(leaseOf(await oneLease(db, params.lease, identity.accountId))),
    );
}

function getTNLeaseRoute(http: Http, db: Database): void {
  const route = { params: LeasePath, response: answers(Route, { failures: [404] }) };
  http.get(
    '/lease/tn/:lease/route',
    { schema: { ...operation('GetTNLeaseRoute', 'Leases', 'Where calls of a number go'), ...route } },
    async ({ identity, params }) => ok(routeOf(await oneLease(db, params.lease, identity.accountId))),
  );
}

function modifyTNLease(http: Http, db: Database): void {
  const says = 'Where its calls go (one app or one connection), who may call it, whether it is renewed.';
  http.patch(
    '/lease/tn/:lease',
    { schema: { ...operation('ModifyTNLease', 'Leases', 'Change a lease', says), ...found, body: Change } },
    async ({ identity, params, body }) =>
      db.transaction().execute(async (tx) => {
        const { accountId } = identity;
        const row = await oneLease(tx, params.lease, accountId, 'lock');
        const { sip_control_app: app, sip_connection: connection, tn_profile: profile, autorenew } = body;
        const goal = goalOf(body, row);
        await mustOwn(tx, accountId, 'app', 'sip_control_app', app);
        await mustOwn(tx, accountId, 'sip_connection', 'sip_connection', connection);
        await mustOwn(tx, accountId, 'tn_profile', 'tn_profile', profile);
        const features = await featuresOf(tx, body, row);
        await tx
          .updateTable('lease')
          .set({
            ...(autorenew !== undefined && { autorenew }),
            ...(features && { features }),
            ...(profile !== undefined && { tn_profile_id: profile }),
            modified_on: new Date(),
          })
          .where('id', '=', row.id)
          .execute();
        if (goal) await point(tx, row, accountId, goal);
        return ok(leaseOf(await oneLease(tx, row.id, accountId)));
      }),
  );
}

function removeTNLeaseByUUID(http: Http, db: Database): void {
  const free = 'It takes no call from the next second on, and anybody may order it.';
  http.delete(
    '/lease/tn/:lease',
    called('RemoveTNLeaseByUUID', 'Leases', 'Give a number back', free),
    async ({ identity, params }) =>
      db.transaction().execute(async (tx) => {
        const row = await oneLease(tx, params.lease, identity.accountId, 'lock');
        await release(tx, row);
        return ok(leaseOf(row));
      }),
  );
}

function removeTNLeases(http: Http, db: Database): void {
  http.delete(
    '/lease/tn',
    {
      schema: {
        ...operation('RemoveTNLeases', 'Leases', 'Give several numbers back', 'All of them or none.'),
        body: Released,
        response: answers(Type.Array(Lease), { failures: [404] }),
      },
    },
    async ({ identity, body }) =>
      db.transaction().execute(async (tx) => {
        const rows: LeaseRow[] = [];
        // In one order, so that two who give the same numbers back don't wait for each other.
        for (const name of [...new Set(body.item.map(String))].sort()) {
          const row = await oneLease(tx, name, identity.accountId, 'lock');
          await release(tx, row);
          rows.push(row);
        }
        return ok(rows.map(leaseOf));
      }),
  );
}
