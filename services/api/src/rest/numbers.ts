/** Numbers that can be had: searched by pattern and place, in both forms that the reference knows (section 2.5). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Database } from '../database/database.ts';
import { answers, ok, optionalBody, pageOf } from './envelope.ts';
import { operation } from './operation.ts';

const FEATURES = ['voice', 'fax', 'sms', 'mms', 'emergency'];
export const Feature = Type.Unsafe<string>({ type: 'string', enum: FEATURES });

export const Offered = Type.Object({
  tn: Type.Integer({ description: 'E.164 without the plus.' }),
  type: Type.String(),
  country: Type.String(),
  state: Type.String(),
  city: Type.String(),
  rate_center: Type.String(),
  features: Type.Array(Type.String()),
  nrc: Type.Number(),
  mrc: Type.Number(),
  registered: Type.Boolean(),
});

type Row = {
  tn: string;
  kind: string;
  country: string;
  state: string;
  city: string;
  rate_center: string;
  features: string[];
  nrc: string;
  mrc: string;
};
export const numberOf = ({ tn, kind, nrc, mrc, ...same }: Row, registered = false) => ({
  ...same,
  tn: Number(tn),
  type: kind,
  nrc: Number(nrc),
  mrc: Number(mrc),
  registered,
});
export const NUMBER_COLUMNS = [
  'tn',
  'kind',
  'country',
  'state',
  'city',
  'rate_center',
  'features',
  'nrc',
  'mrc',
] as const;

const Search = Type.Object({
  pattern: Type.Optional(
    Type.String({ pattern: '^[0-9*%]{1,15}$', description: 'National digits; * any run, % one digit.' }),
  ),
  type: Type.Optional(Type.Union([Type.Literal('long_code'), Type.Literal('toll_free')])),
  country: Type.Optional(Type.String({ pattern: '^[A-Za-z]{2}$', description: 'two letters' })),
  state: Type.Optional(Type.String({ pattern: '^[A-Za-z]{2}$', description: 'two letters' })),
  province: Type.Optional(Type.String({ pattern: '^[A-Za-z]{2}$', description: 'two letters' })),
  city: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  rate_center: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
  rateCenter: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
  npa: Type.Optional(Type.String({ pattern: '^[0-9]{3}$', description: 'three digits' })),
  nxx: Type.Optional(Type.String({ pattern: '^[0-9]{3}$', description: 'three digits' })),
  line: Type.Optional(Type.String({ pattern: '^[0-9]{4}$', description: 'four digits' })),
  features: Type.Optional(Type.Array(Feature, { maxItems: 5 })),
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
});
const Pages = Type.Object({
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  size: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
});

const SIGNS: Record<string, string> = { '*': '%', '%': '_', _: '\\_', '\\': '\\\\' };
/** A mask of the reference as one of SQL: `*` any run, `%` one position, everything else itself. */
export const likeOf = (mask: string) => mask.replace(/[*%_\\]/g, (sign) => SIGNS[sign]!);

export const numbers =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const schema = {
      ...operation('Search', 'Numbers', 'Search numbers that can be had'),
      querystring: Pages,
      body: optionalBody(Search),
      response: answers(pageOf(Offered)),
    };
    http.post('/tn/search', { schema }, async ({ query, body: given }) => {
      const body = given ?? {};
      const take = query.take ?? query.size ?? body.take ?? 10;
      const skip = query.skip ?? body.skip ?? ((query.page ?? 1) - 1) * take;
      const state = body.state ?? body.province;
      const center = body.rate_center ?? body.rateCenter;
      const national = sql<string>`right(inventory.tn, 10)`;
      const { npa, nxx, line, pattern, type, country, city, features } = body;
      const place = npa || nxx || line ? `${npa ?? '___'}${nxx ?? '___'}${line ?? '____'}` : undefined;
      const free = db
        .selectFrom('inventory')
        .where((w) =>
          w.not(
            w.exists(
              w
                .selectFrom('lease')
                .select('lease.id')
                .whereRef('lease.tn', '=', 'inventory.tn')
                .where('lease.released_on', 'is', null),
            ),
          ),
        )
        .$if(pattern !== undefined, (q) => q.where(national, 'like', likeOf(pattern!)))
        .$if(place !== undefined, (q) => q.where(national, 'like', place!))
        .$if(type !== undefined, (q) => q.where('kind', '=', type!))
        .$if(country !== undefined, (q) => q.where('country', '=', country!.toUpperCase()))
        .$if(state !== undefined, (q) => q.where('state', '=', state!.toUpperCase()))
        .$if(city !== undefined, (q) => q.where(sql`lower(city)`, '=', city!.toLowerCase()))
        .$if(center !== undefined, (q) => q.where('rate_center', '=', center!.toUpperCase()))
        .$if(features !== undefined, (q) => q.where(sql<boolean>`features @> ${features}::text[]`));
      const [{ total }, found] = await Promise.all([
        free.select(db.fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
        free.select(NUMBER_COLUMNS).orderBy('tn').limit(take).offset(skip).execute(),
      ]);
      return ok({ take, skip, total: Number(total), data: found.map((row) => numberOf(row)) });
    });

    const Countries = Type.Array(Type.Object({ a2: Type.String() }));
    http.get(
      '/tn/search/countries',
      {
        schema: {
          ...operation('ListSearchCountries', 'Numbers', 'List countries with numbers'),
          response: answers(Countries),
        },
      },
      async () => {
        const rows = await db.selectFrom('inventory').select('country').distinct().orderBy('country').execute();
        return ok(rows.map(({ country }) => ({ a2: country })));
      },
    );
  };
