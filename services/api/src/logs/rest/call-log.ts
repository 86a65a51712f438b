/** The call log of an account: searched by masks, page by page, each call once however many come in (section 8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { Call, callOf } from '../../calls/rest/call-object.ts';
import type { Database } from '../../database/database.ts';
import { answers, ok, optionalBody, Uuid } from '../../rest/envelope.ts';
import { operation } from '../../rest/operation.ts';
import { BODY_PAGE, Direction, MOMENTS } from '../../rest/search.ts';
import { objectOfRow } from '../row.ts';
import { keysOf, rowsOf } from './call-order.ts';
import { LogMode, LogQuery, logPageOf, placeOf, totalOf, untilOf } from './log-pages.ts';
import { Mask, OwnNumber } from './masks.ts';
import { searched } from './searched-calls.ts';

const Filters = Type.Object({
  direction: Type.Optional(Type.Union([Type.Literal('in'), Type.Literal('out')])),
  from: Type.Optional(Mask),
  to: Type.Optional(Mask),
  tn: Type.Optional(OwnNumber),
  state: Type.Optional(Type.Union([Type.Literal('online'), Type.Literal('offline')])),
  sip_control_app: Type.Optional(Uuid),
  ...MOMENTS,
  mode: Type.Optional(LogMode),
  order: Type.Optional(
    Type.Object(
      {
        tn: Type.Optional(Direction),
        to: Type.Optional(Direction),
        from: Type.Optional(Direction),
        state: Type.Optional(Direction),
        created_on: Type.Optional(Direction),
        modified_on: Type.Optional(Direction),
      },
      { description: 'Left out: created_on DESC. Pages are exact where the order is one of what never changes.' },
    ),
  ),
  ...BODY_PAGE,
});
type Filters = Static<typeof Filters>;

async function pageOf(
  db: Database,
  accountId: string,
  body: Filters,
  { take, skip, until }: { take: number; skip: number; until: string | undefined },
) {
  const { take: _, skip: __, ...search } = body;
  const place = await placeOf(db, until, search);
  const { snapshot } = place;
  const found = await searched(db, accountId, body, snapshot);
  const isWhole = found.oldest === undefined;
  const keys = keysOf(body.order);
  const total = await totalOf(db, found.mine);
  // Of a bounded log no more than that is looked at.
  const isFew = total.total_is_exact || !isWhole;
  const rows = total.total === 0 ? [] : await rowsOf(db, found, keys, place, { take, skip, isFew });
  const last = rows.at(-1);
  const ended = last && { search, skip: skip + rows.length, values: keys.map((key) => key.value(last)) };
  const data = rows.map((row) => callOf(objectOfRow(row)));
  const total_is_exact = total.total_is_exact && isWhole;
  return { take, skip, ...total, total_is_exact, data, until: untilOf(snapshot, ended) };
}

export const callLog =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const description =
      'The first page says `until`; sent back with `skip`, the next pages show what was there at the first, each call once. With the `until` of the page before, a page costs the same however deep it is.';
    const schema = { querystring: LogQuery, body: optionalBody(Filters), response: answers(logPageOf(Call)) };
    for (const [path, name] of [
      ['/call/search', 'SearchCalls'],
      ['/sip/app/call/search', 'SearchSCACalls'],
    ] as const)
      http.post(
        path,
        { schema: { ...operation(name, 'Logs', 'Search the call log', description), ...schema } },
        async ({ identity, query, body: given }) => {
          const body = given ?? {};
          const { take = body.take ?? 10, skip = body.skip ?? 0 } = query;
          return ok(await pageOf(db, identity.accountId, body, { take, skip, until: query.until }));
        },
      );
  };
