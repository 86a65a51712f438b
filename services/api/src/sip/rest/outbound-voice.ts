/** Outbound voice profiles: caller id, limits and recording of the calls that an account makes (reference 1.2, A.2). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { mustBeProduct, mustLease } from '../../database/references.ts';
import { invalid } from '../../kernel/refusal.ts';
import type { Identity } from '../../rest/auth/identity.ts';
import { Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import { storedOnly } from '../../rest/known.ts';
import { resource } from '../../rest/resource.ts';
import { OF_ACCOUNT, storeIn } from '../../rest/store.ts';
import { MediaSettings, type MediaType, Product, ProductId, productsOf } from './products.ts';

const PROFILES_MAX = 1000;
const AMOUNT_MAX = 1_000_000;

const Fields = {
  name: Type.String({ minLength: 1, maxLength: 255 }),
  is_active: Type.Boolean(),
  tech_prefix: Type.Integer({
    minimum: 100_000,
    maximum: 999_999,
    ...storedOnly('trunks take numbers without a prefix; GET /sip/tech_prefix tells it'),
  }),
  channel_limit: Type.Integer({ minimum: 0, maximum: 100_000, description: 'Calls at once; 0: no limit of its own.' }),
  max_rate: Type.Number({ minimum: 0, maximum: AMOUNT_MAX, description: 'The dearest minute; 0: any.' }),
  daily_spend_limit: Type.Number({
    minimum: 0,
    maximum: AMOUNT_MAX,
    description: 'Per day of the account’s clock; 0: none.',
  }),
  record_calls: Type.Union([Type.Literal(0), Type.Literal(1), Type.Literal(2)], {
    description:
      'Which calls that go out by it are recorded, both sides, from the answer on. 0: none. 1: those that are ordered (POST /call, /batch), and each number that a document dials. 2: those that are ordered; of what a document dials its Dial’s `record` decides. No RecordStop ends it. As it was when the call began.',
  }),
  filemat: Type.Union([Type.Literal('wav'), Type.Literal('mp3')], {
    description: 'Of recordings. `mp3` is refused: there is no encoder here.',
  }),
  audio_track_type: Type.Union([Type.Literal(0), Type.Literal(1)], {
    description: 'Of recordings. 0: both sides in one track; 1, a track for each, is refused: recordings have one.',
  }),
  shaken_sign_policy: Type.Integer({ minimum: 0, maximum: 3, ...storedOnly('no call is signed by STIR/SHAKEN') }),
};
const Settings = { class4_ingress_trunk_settings: MediaSettings };
const Caller = Type.Object({ uuid: Uuid, tn: Type.Object({ tn: Type.Integer() }) });
const Profile = Type.Object(
  {
    uuid: Uuid,
    ...Fields,
    ...Settings,
    product: Product,
    tn_lease: Type.Union([Caller, Type.Null()]),
    ...Stamps,
  },
  { title: 'OutboundVoiceProfile' },
);
const Change = Type.Partial(
  Type.Object({
    ...Fields,
    class4_ingress_trunk_settings: Type.Partial(MediaSettings),
    product: ProductId,
    tn_lease: Type.Union([Uuid, Type.Null()], { description: 'A leased number: the caller id.' }),
    daily_spent_limit: Type.Number({
      minimum: 0,
      maximum: AMOUNT_MAX,
      description: 'As clients spell daily_spend_limit.',
    }),
  }),
);
const New = Type.Intersect([Type.Object({ name: Fields.name }), Type.Omit(Change, ['name'])]);

const read = (db: Kysely<Tables>, { accountId }: Identity) =>
  db
    .selectFrom('outbound_voice_profile as profile')
    .leftJoin('lease', (join) => join.onRef('lease.id', '=', 'profile.tn_lease_id').on('lease.released_on', 'is', null))
    .selectAll('profile')
    .select('lease.tn')
    .where('profile.account_id', '=', accountId);
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof read>['executeTakeFirst']>>>;

const profileOf = (row: Row, products: Map<number, Static<typeof Product>>): Static<typeof Profile> => ({
  uuid: row.id,
  name: row.name,
  is_active: row.is_active,
  tech_prefix: row.tech_prefix,
  channel_limit: row.channel_limit,
  max_rate: Number(row.max_rate),
  daily_spend_limit: Number(row.daily_spend_limit),
  record_calls: row.record_calls as 0,
  filemat: row.filemat as 'wav',
  audio_track_type: row.audio_track_type as 0,
  shaken_sign_policy: row.shaken_sign_policy,
  class4_ingress_trunk_settings: { media_type: row.media_type as MediaType },
  product: products.get(row.product)!,
  tn_lease: row.tn_lease_id && row.tn ? { uuid: row.tn_lease_id, tn: { tn: Number(row.tn) } } : null,
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

function columnsOf(given: Partial<Static<typeof Change>>) {
  const { class4_ingress_trunk_settings: settings, tn_lease, max_rate, daily_spent_limit, ...more } = given;
  const { daily_spend_limit = daily_spent_limit, ...same } = more;
  return {
    ...same,
    ...(settings?.media_type && { media_type: settings.media_type }),
    ...(tn_lease !== undefined && { tn_lease_id: tn_lease }),
    ...(max_rate !== undefined && { max_rate: String(max_rate) }),
    ...(daily_spend_limit !== undefined && { daily_spend_limit: String(daily_spend_limit) }),
  };
}

/** Recordings are WAV files of one track: nothing else is promised. @throws Refusal */
function mustBeMade({ filemat, audio_track_type }: Partial<Static<typeof Change>>): void {
  if (filemat === 'mp3') throw invalid({ filemat: { message: 'must be wav: there is no encoder of MP3 here' } });
  if (audio_track_type === 1)
    throw invalid({ audio_track_type: { message: 'must be 0: recordings have one track, both sides in it' } });
}

const check = async (db: Database, given: Partial<Static<typeof Change>>, { accountId }: Identity) => {
  mustBeMade(given);
  await mustBeProduct(db, given.product);
  await mustLease(db, accountId, 'tn_lease', given.tn_lease);
};

export const outboundVoice =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) =>
    resource(http, {
      path: '/profile/outbound_voice',
      tag: 'Profiles',
      id: 'OutboundVoiceProfile',
      called: 'an outbound voice profile',
      plural: 'outbound voice profiles',
      shape: Profile,
      fresh: New,
      change: Change,
      example: { name: 'Standard' },
      store: storeIn(db, {
        table: 'outbound_voice_profile',
        ...OF_ACCOUNT,
        max: PROFILES_MAX,
        read: (who) => read(db, who),
        async shown(rows: Row[]) {
          const products = await productsOf(db);
          return rows.map((row) => profileOf(row, products));
        },
        check: (given: Partial<Static<typeof Change>>, who) => check(db, given, who),
        fresh: (body: Static<typeof New>) => ({ tn_lease_id: null, ...columnsOf(body), name: body.name }),
        changed: columnsOf,
        whileNamed: 'an app, a connection or a domain calls out by this profile: give it another first',
      }),
      removal: 'Refused (409) while an app, a connection or a domain names it.',
    });
