/** Numbers of an account, searched: by mask, where they lead, when they were leased (reference 2.6). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { likeOf } from '../../kernel/mask.ts';
import { answers, ok, optionalBody, PageQuery, pageOf, Uuid } from '../../rest/envelope.ts';
import { operation } from '../../rest/operation.ts';
import { dated, echoOf, joined, orderOf, pagesOf, searchBody, searchPage } from '../../rest/search.ts';
import { LEASE_COLUMNS, readLeases } from '../leases.ts';
import { Lease, leaseOf } from './lease-object.ts';

const CONNECTIONS_MAX = 100;
const ORDER = { tn: 'lease.tn', created_on: 'lease.created_on', modified_on: 'lease.modified_on' };

const Body = searchBody(
  {
    tn: Type.Optional(
      Type.String({
        pattern: '^\\+?[0-9*%]{1,15}$',
        description: 'digits, a + may stand before them; * any run, % one digit',
      }),
    ),
    autorenew: Type.Optional(Type.Boolean()),
    sip_control_app: Type.Optional(Uuid),
    sip_connection: Type.Optional(Uuid),
    sip_connections_skip: Type.Optional(
      Type.Array(Uuid, { maxItems: CONNECTIONS_MAX, description: 'None that is on one of these.' }),
    ),
  },
  ORDER,
);

export const leaseSearch =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const page = async (
      accountId: string,
      where: ReturnType<typeof joined>,
      order: ReturnType<typeof orderOf>,
      of: PageQuery,
    ) => {
      const { take = 10, skip = 0 } = of;
      const mine = readLeases(db, accountId).where(where);
      const [{ total }, rows] = await Promise.all([
        mine.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        mine.select(LEASE_COLUMNS).orderBy(order).orderBy('lease.id').limit(take).offset(skip).execute(),
      ]);
      return { take, skip, total: Number(total), data: rows.map(leaseOf) };
    };

    const all = { ...operation('ListTNLeases', 'Leases', 'List numbers of the account'), querystring: PageQuery };
    http.get('/lease/tn', { schema: { ...all, response: answers(pageOf(Lease)) } }, async ({ identity, query }) =>
      ok(await page(identity.accountId, joined('AND', []), orderOf({}, ORDER, ORDER.created_on), query)),
    );

    const searched = {
      ...operation('SearchTNLeases', 'Leases', 'Search numbers of the account'),
      querystring: PageQuery,
      body: optionalBody(Body),
      response: answers(searchPage(Lease)),
    };
    http.post('/lease/tn/search', { schema: searched }, async ({ identity, query, body: given }) => {
      const body = given ?? {};
      const { tn, autorenew, sip_control_app: app, sip_connection: connection, sip_connections_skip: skipped } = body;
      const where = joined(body.mode, [
        tn === undefined ? undefined : sql<boolean>`lease.tn like ${likeOf(tn.replace('+', ''))}`,
        autorenew === undefined ? undefined : sql<boolean>`lease.autorenew = ${autorenew}`,
        app === undefined ? undefined : sql<boolean>`lease.app_id = ${app}`,
        connection === undefined ? undefined : sql<boolean>`lease.connection_id = ${connection}`,
        skipped === undefined
          ? undefined
          : sql<boolean>`(lease.connection_id is null or lease.connection_id <> all(${skipped}::uuid[]))`,
        ...dated(body, 'lease'),
      ]);
      const order = orderOf(body, ORDER, ORDER.created_on);
      return ok({ ...(await page(identity.accountId, where, order, pagesOf(query, body))), ...echoOf(body) });
    });
  };
