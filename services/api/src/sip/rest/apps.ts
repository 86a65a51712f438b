/** SIP Control Apps: what decides over the calls of the numbers that point to them (reference 1.7, 2.9). */

import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import type { Seal } from '../../database/sealing/seal.ts';
import type { Identity } from '../../rest/auth/identity.ts';
import { Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { storedOnly } from '../../rest/known.ts';
import { resource } from '../../rest/resource.ts';
import { OF_ACCOUNT, storeIn } from '../../rest/store.ts';
import { type Product, productsOf } from './products.ts';
import { mustNameOwn, TRUNK, TRUNK_CHANGE, trunkColumns, trunkOf, VERIFICATION } from './trunk-settings.ts';

const APPS_MAX = 1000;
const TIMEOUT_MAX_MS = 60_000;
const MINUTES_MAX = 24 * 60;
/** What `max_call_length_min` null means: the platform's own end (contracts). */
const NO_LIMIT_MS = 4 * 3_600_000;
const SILENCE_MIN_MS = 5000;

const Method = Type.Union([Type.Literal('GET'), Type.Literal('POST')]);
const URL = { maxLength: 2048, pattern: '^(https?://.+)?$', description: 'http or https; empty: none.' };
const TIMEOUT = { minimum: 0, maximum: TIMEOUT_MAX_MS, description: 'Milliseconds; 0: the platform’s own limits.' };
const UNTOLD = 'events are told by the topic events.public alone';
const Fields = {
  name: Type.String({ minLength: 1, maxLength: 255 }),
  is_active: Type.Boolean({ description: 'Switched off: its calls are refused with 480.' }),
  auto_answer: Type.Boolean(),
  webhook_url: Type.String({ ...URL, ...storedOnly(UNTOLD, URL.description) }),
  webhook_method: Type.Union([Type.Literal('GET'), Type.Literal('POST')], storedOnly(UNTOLD)),
  webhook_request_timeout: Type.Integer({ ...TIMEOUT, ...storedOnly(UNTOLD, TIMEOUT.description) }),
  call_flow_url: Type.String(URL),
  call_flow_method: Method,
  call_flow_request_timeout: Type.Integer(TIMEOUT),
  max_call_length_min: Type.Union([Type.Integer({ minimum: 1, maximum: MINUTES_MAX }), Type.Null()]),
  silence_ms: Type.Union([Type.Integer({ minimum: SILENCE_MIN_MS, maximum: NO_LIMIT_MS }), Type.Null()], {
    description: 'A leg without RTP and RTCP for so long is hung up; null: the platform’s own limit, 60 s.',
  }),
  rtp_from_anywhere: Type.Boolean({
    description: 'The first valid RTP is believed wherever it comes from, not only from where the signalling does.',
  }),
  ...VERIFICATION,
};
const App = Type.Object(
  {
    uuid: Uuid,
    ...Fields,
    ...TRUNK,
    ...Stamps,
  },
  { title: 'App' },
);
const Change = Type.Partial(Type.Object({ ...Fields, ...TRUNK_CHANGE }));
const New = Type.Intersect([Type.Object({ name: Fields.name }), Type.Omit(Change, ['name'])]);
type Given = Partial<Static<typeof Change>>;

const read = (db: Kysely<Tables>, { accountId }: Identity) =>
  db.selectFrom('app').selectAll().where('account_id', '=', accountId);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirst']>>>;

const appOf = (row: Row, products: Map<number, Static<typeof Product>>): Static<typeof App> => ({
  uuid: row.id,
  name: row.name,
  is_active: row.is_active,
  auto_answer: row.auto_answer,
  webhook_url: row.webhook_url,
  webhook_method: row.webhook_method as 'GET',
  webhook_request_timeout: row.webhook_timeout_ms,
  call_flow_url: row.call_flow_url,
  call_flow_method: row.call_flow_method as 'GET',
  call_flow_request_timeout: row.call_flow_timeout_ms,
  max_call_length_min: row.max_call_length_ms === NO_LIMIT_MS ? null : Math.round(row.max_call_length_ms / 60_000),
  silence_ms: row.silence_ms,
  rtp_from_anywhere: row.rtp_from_anywhere,
  ...trunkOf(row, products),
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

function columnsOf(given: Given) {
  const { webhook_request_timeout, call_flow_request_timeout, max_call_length_min, ...rest } = given;
  return {
    ...trunkColumns(rest),
    ...(webhook_request_timeout !== undefined && { webhook_timeout_ms: webhook_request_timeout }),
    ...(call_flow_request_timeout !== undefined && { call_flow_timeout_ms: call_flow_request_timeout }),
    ...(max_call_length_min !== undefined && {
      max_call_length_ms: max_call_length_min === null ? NO_LIMIT_MS : max_call_length_min * 60_000,
    }),
  };
}

export const apps =
  (db: Database, seal: Seal): FastifyPluginAsyncTypebox =>
  async (http) =>
    resource(http, {
      path: '/sip/app',
      tag: 'SIP apps',
      id: 'SIPControlApp',
      called: 'an app',
      plural: 'apps',
      shape: App,
      fresh: New,
      change: Change,
      example: { name: 'Menu', auto_answer: true },
      store: storeIn(db, {
        table: 'app',
        ...OF_ACCOUNT,
        max: APPS_MAX,
        read: (who) => read(db, who),
        async shown(rows: Row[]) {
          const products = await productsOf(db);
          return rows.map((row) => appOf(row, products));
        },
        check: (given: Given, { accountId }) => mustNameOwn(db, accountId, given),
        async fresh(body: Static<typeof New>, id) {
          return { ...columnsOf(body), name: body.name, signing_key: await seal.seal(randomBytes(32), id) };
        },
        changed: columnsOf,
        whileNamed: 'numbers or domains point to this app: point them elsewhere first',
      }),
      removal: 'Refused (409) while numbers or domains point to it.',
    });
