/** What an order of numbers asks for and what is answered (reference 2.6). */
import { type Static, Type } from 'typebox';
import { Stamps, TelephoneNumber, tnOf, Uuid } from '../../rest/envelope.ts';
import { storedOnly } from '../../rest/known.ts';
import { FEATURES, Feature } from './number-search.ts';

const ITEMS_MAX = 100;

const Switch = Type.Optional(Type.Boolean());
const Item = Type.Object({
  tn: TelephoneNumber,
  features: Type.Optional(Type.Array(Feature, { maxItems: 5 })),
  autorenew: Type.Optional(Type.Boolean()),
  voice: Switch,
  fax: Switch,
  sms: Switch,
  mms: Switch,
  emergency: Switch,
  profile: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, ...storedOnly('every number has the prices of the inventory') }),
  ),
});
export const New = Type.Object({ items: Type.Array(Item, { minItems: 1, maxItems: ITEMS_MAX }) });
const Refusal = Type.Object({ tn: Type.Integer(), reason: Type.String(), description: Type.String() });
export const Order = Type.Object(
  {
    uuid: Uuid,
    state: Type.String(),
    total: Type.Integer(),
    success: Type.Integer(),
    processing: Type.Integer(),
    failed: Type.Integer(),
    price: Type.Number(),
    errors: Type.Array(Refusal),
    ...Stamps,
  },
  { title: 'Order' },
);
export const Price = Type.Object(
  {
    nrc: Type.Number(),
    mrc: Type.Number(),
    items: Type.Array(Type.Object({ tn: Type.Integer(), nrc: Type.Number(), mrc: Type.Number() })),
    errors: Type.Array(Refusal),
  },
  { title: 'OrderPrice' },
);

export type Item = { tn: number; features: string[]; autorenew: boolean };
export type Refusal = Static<typeof Refusal>;

/** Both ways of saying what a number is for: a list, or a switch each (reference 2.6). Neither: voice. */
export function itemOf({ tn, features, autorenew = true, ...switches }: Static<typeof Item>): Item {
  const switched = FEATURES.filter((name) => switches[name]);
  const isSwitched = FEATURES.some((name) => switches[name] !== undefined);
  return { tn: tnOf(tn), autorenew, features: features ?? (isSwitched ? switched : ['voice']) };
}
