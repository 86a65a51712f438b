/** Numbers that can be had: searched by pattern and place, in both forms that the reference knows (section 2.5). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answers, ok, optionalBody, pageOf } from '../../rest/envelope.ts';
import { badInput, notFound } from '../../rest/errors.ts';
import { operation } from '../../rest/operation.ts';
import { BODY_PAGE } from '../../rest/search.ts';
import type { NumberCarrier, Offer } from '../carrier.ts';

export const FEATURES = ['voice', 'fax', 'sms', 'mms', 'emergency'] as const;
export const Feature = Type.Unsafe<string>({ type: 'string', enum: FEATURES });

const Offered = Type.Object(
  {
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
  },
  { title: 'OfferedNumber' },
);

const offeredOf = ({ tn, kind, nrc, mrc, ...same }: Offer) => ({
  ...same,
  tn: Number(tn),
  type: kind,
  nrc: Number(nrc),
  mrc: Number(mrc),
  registered: false,
});

const Search = Type.Object({
  pattern: Type.Optional(
    Type.String({
      pattern: '^(\\+1)?[0-9A-Za-z*%]{1,15}$',
      description:
        'National digits, +1 may stand before them; * any run, % one digit; letters where abcSearch is true.',
    }),
  ),
  abcSearch: Type.Optional(Type.Boolean({ description: 'Letters of the pattern stand for their keys: TAXI is 8294.' })),
  profile: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'US: two letters of a country.' })),
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
  ...BODY_PAGE,
});
const Pages = Type.Object({
  ...BODY_PAGE,
  page: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  size: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
});

/** By the rows of a telephone's keys. */
const KEYS = ['', '', 'ABC', 'DEF', 'GHI', 'JKL', 'MNO', 'PQRS', 'TUV', 'WXYZ'];

/** @throws RestError 400 for letters where they stand for nothing */
function digitsOf(pattern: string, isAbc: boolean): string {
  if (!isAbc && /[A-Za-z]/.test(pattern))
    throw badInput({ 'body.pattern': { message: 'has letters: set abcSearch', value: pattern } });
  return pattern.toUpperCase().replace(/[A-Z]/g, (letter) => String(KEYS.findIndex((row) => row.includes(letter))));
}

export const numbers =
  (carrier: NumberCarrier): FastifyPluginAsyncTypebox =>
  async (http) => {
    const schema = {
      ...operation('Search', 'Numbers', 'Search numbers that can be had'),
      querystring: Pages,
      body: optionalBody(Search),
      response: answers(pageOf(Offered), { failures: [404] }),
    };
    http.post('/tn/search', { schema }, async ({ query, body: given }) => {
      const body = given ?? {};
      const take = query.take ?? query.size ?? body.take ?? 10;
      const skip = query.skip ?? body.skip ?? ((query.page ?? 1) - 1) * take;
      const { npa, nxx, line, type, city, features, profile } = body;
      if (profile !== undefined && !(await carrier.countries()).includes(profile.toUpperCase()))
        throw notFound('TN profile to search by: it is the two letters of a country with numbers');
      const wanted = {
        patterns: [
          ...(body.pattern === undefined ? [] : [digitsOf(body.pattern.replace('+1', ''), body.abcSearch ?? false)]),
          ...(npa || nxx || line ? [`${npa ?? '%%%'}${nxx ?? '%%%'}${line ?? '%%%%'}`] : []),
        ],
        country: body.country ?? profile,
        state: body.state ?? body.province,
        rateCenter: body.rate_center ?? body.rateCenter,
        ...{ type, city, features, take, skip },
      };
      const { total, found } = await carrier.search(wanted);
      return ok({ take, skip, total, data: found.map(offeredOf) });
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
      async () => ok((await carrier.countries()).map((a2) => ({ a2 }))),
    );
  };
