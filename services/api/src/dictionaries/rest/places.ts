/** Dictionaries of places (reference 2.5, 2.18): countries, time zones, and the states and rate centres where numbers can be had. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { answers, ok } from '../../rest/envelope.ts';
import { operation, PUBLIC } from '../../rest/operation.ts';
import { COUNTRIES } from '../countries.ts';

const PLACES_MAX = 5000;

const Letters = Type.String({ pattern: '^[A-Za-z]{2}$', description: 'two letters' });
const Country = Type.Object(
  { name: Type.String(), a2: Type.String(), a3: Type.String(), n: Type.Integer() },
  { title: 'Country' },
);
const Zone = Type.Object(
  {
    name: Type.String({ description: 'IANA.' }),
    utc_offset: Type.Integer({ description: 'Minutes, without daylight saving time.' }),
    utc_dst_offset: Type.Integer({ description: 'Minutes, with it.' }),
  },
  { title: 'TimeZone' },
);
const State = Type.Object({ country: Type.String(), state: Type.String() }, { title: 'State' });
const Center = Type.Object(
  { country: Type.String(), state: Type.String(), rate_center: Type.String() },
  { title: 'RateCenter' },
);

/** Minutes ahead of UTC at a moment. */
function offsetOf(timeZone: string, at: Date): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const text = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) + 0;
}

/** Of a year: daylight saving time differs by the half of the year, on both halves of the earth. */
function zonesOf(year: number) {
  const [january, july] = [new Date(Date.UTC(year, 0, 15)), new Date(Date.UTC(year, 6, 15))];
  return ['UTC', ...Intl.supportedValuesOf('timeZone').filter((name) => name !== 'UTC')].map((name) => {
    const offsets = [offsetOf(name, january), offsetOf(name, july)];
    return { name, utc_offset: Math.min(...offsets), utc_dst_offset: Math.max(...offsets) };
  });
}

export const places =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    let zones: { year: number; list: ReturnType<typeof zonesOf> } | undefined;
    const said = (id: string, summary: string) => ({ ...operation(id, 'Dictionaries', summary), ...PUBLIC });

    const countries = { ...said('ListDictCountry', 'List countries'), response: answers(Type.Array(Country)) };
    http.get('/country', { schema: countries }, async () => ok(COUNTRIES));

    const zonesSchema = { ...said('ListDictTimeZone', 'List time zones'), response: answers(Type.Array(Zone)) };
    http.get('/tz', { schema: zonesSchema }, async () => {
      const year = new Date().getUTCFullYear();
      if (zones?.year !== year) zones = { year, list: zonesOf(year) };
      return ok(zones.list);
    });

    const states = {
      ...said('ListDictLERGStates', 'List states where numbers can be had'),
      querystring: Type.Object({ country: Type.Optional(Letters) }),
      response: answers(Type.Array(State)),
    };
    http.get('/lerg/states', { schema: states }, async ({ query: { country } }) =>
      ok(
        await db
          .selectFrom('inventory')
          .select(['country', 'state'])
          .distinct()
          .where('state', '<>', '')
          .$if(country !== undefined, (q) => q.where('country', '=', country!.toUpperCase()))
          .orderBy('country')
          .orderBy('state')
          .limit(PLACES_MAX)
          .execute(),
      ),
    );
    const centers = {
      ...said('ListDictLERGRateCenters', 'List rate centres where numbers can be had'),
      querystring: Type.Object({ state: Type.Optional(Letters), country: Type.Optional(Letters) }),
      response: answers(Type.Array(Center)),
    };
    http.get('/lerg/ratecenters', { schema: centers }, async ({ query: { state, country } }) =>
      ok(
        await db
          .selectFrom('inventory')
          .select(['country', 'state', 'rate_center'])
          .distinct()
          .where('rate_center', '<>', '')
          .$if(state !== undefined, (q) => q.where('state', '=', state!.toUpperCase()))
          .$if(country !== undefined, (q) => q.where('country', '=', country!.toUpperCase()))
          .orderBy('country')
          .orderBy('state')
          .orderBy('rate_center')
          .limit(PLACES_MAX)
          .execute(),
      ),
    );
  };
