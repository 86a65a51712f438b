/** What a SIP control app and a SIP connection share: product, sound, verification, and the profile that they call out by. */
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Tables } from '../../database/database.ts';
import { mustBeProduct, mustOwn } from '../../database/references.ts';
import { Uuid } from '../../rest/envelope.ts';
import { storedOnly } from '../../rest/known.ts';
import { MediaSettings, type MediaType, Product, ProductId } from './products.ts';

const UNVERIFIED = 'no call is verified by STIR/SHAKEN';

/** Of their fields, in bodies and answers alike. */
export const VERIFICATION = {
  shaken_verify_policy: Type.Integer({ minimum: 0, maximum: 3, ...storedOnly(UNVERIFIED) }),
  shaken_minimum_accepted_attest_lvl: Type.Union(
    [Type.Literal('A'), Type.Literal('B'), Type.Literal('C')],
    storedOnly(UNVERIFIED),
  ),
};

/** In an answer. */
export const TRUNK = {
  tech_prefix: Type.Integer(),
  product: Product,
  class4_ingress_trunk_settings: MediaSettings,
  class4_egress_trunk_settings: MediaSettings,
  outbound_voice_profile: Type.Union([Type.Object({ uuid: Uuid }), Type.Null()]),
};

/** In a body. */
export const TRUNK_CHANGE = {
  product: ProductId,
  class4_ingress_trunk_settings: Type.Partial(MediaSettings),
  class4_egress_trunk_settings: Type.Partial(MediaSettings),
  outbound_voice_profile: Type.Union([Uuid, Type.Null()]),
};

type Answered = {
  [K in keyof (typeof TRUNK & typeof VERIFICATION)]: Static<(typeof TRUNK & typeof VERIFICATION)[K]>;
};
type Given = { [K in keyof typeof TRUNK_CHANGE]?: Static<(typeof TRUNK_CHANGE)[K]> };
type Row = {
  tech_prefix: number;
  product: number;
  ingress_media_type: string;
  egress_media_type: string;
  outbound_voice_profile_id: string | null;
  shaken_verify_policy: number;
  shaken_minimum_accepted_attest_lvl: string;
};

export const trunkOf = (row: Row, products: Map<number, Static<typeof Product>>): Answered => ({
  tech_prefix: row.tech_prefix,
  product: products.get(row.product)!,
  class4_ingress_trunk_settings: { media_type: row.ingress_media_type as MediaType },
  class4_egress_trunk_settings: { media_type: row.egress_media_type as MediaType },
  outbound_voice_profile: row.outbound_voice_profile_id ? { uuid: row.outbound_voice_profile_id } : null,
  shaken_verify_policy: row.shaken_verify_policy,
  shaken_minimum_accepted_attest_lvl: row.shaken_minimum_accepted_attest_lvl as 'C',
});

/** A body as columns; whatever else it holds stays as it is. */
export function trunkColumns<G extends Given>(given: G) {
  const {
    class4_ingress_trunk_settings: ingress,
    class4_egress_trunk_settings: egress,
    outbound_voice_profile: profile,
    ...same
  } = given;
  return {
    ...same,
    ...(ingress?.media_type && { ingress_media_type: ingress.media_type }),
    ...(egress?.media_type && { egress_media_type: egress.media_type }),
    ...(profile !== undefined && { outbound_voice_profile_id: profile }),
  };
}

/** @throws Refusal invalid where it names no product, or a profile that is none of the account's */
export async function mustNameOwn(db: Kysely<Tables>, accountId: string, given: Given): Promise<void> {
  await mustBeProduct(db, given.product);
  await mustOwn(db, accountId, 'outbound_voice_profile', 'outbound_voice_profile', given.outbound_voice_profile);
}
