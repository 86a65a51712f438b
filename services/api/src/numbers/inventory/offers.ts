/**
 * Numbers that can be leased, from a file: the columns tn and country, and state, city, rate_center, type, features, nrc, mrc
 * where they are, by the names in the header. A record that can't be a number is told with its line, and the others are taken.
 */
import type { Line } from '../../database/save-in-batches.ts';
import { CsvError, type CsvRecord } from '../../kernel/csv.ts';

export type Offer = {
  tn: string;
  country: string;
  state: string;
  city: string;
  rate_center: string;
  kind: string;
  features: string[];
  /** Decimals as text. */
  nrc: string;
  mrc: string;
};
/** One record: a number, or why it is none. */
export type Read = Line<{ offer: Offer }>;

const NEEDED = ['tn', 'country'];
const NAMES = [...NEEDED, 'state', 'city', 'rate_center', 'type', 'features', 'nrc', 'mrc'] as const;
const FEATURES = new Set(['voice', 'fax', 'sms', 'mms', 'emergency']);
const PRICE = /^\d{1,6}(\.\d{1,4})?$/;
const PLACE_LENGTH_MAX = 64;

type Column = (typeof NAMES)[number];

/** @throws CsvError where the header lacks tn or country, or has a column twice. */
export async function* offersOf(records: AsyncIterable<CsvRecord>): AsyncGenerator<Read> {
  let places: Map<string, number> | undefined;
  for await (const record of records) {
    if (places) yield read(record, places);
    else places = placesIn(record);
  }
  if (!places) throw new CsvError('the file is empty; its first line names the columns tn and country at least');
}

function placesIn({ line, fields }: CsvRecord): Map<string, number> {
  const places = new Map<string, number>();
  for (const [at, name] of fields.map((field) => field.trim().toLowerCase()).entries()) {
    if (!NAMES.includes(name as Column)) continue;
    if (places.has(name)) throw new CsvError(`line ${line}: the header has two columns ${name}`);
    places.set(name, at);
  }
  for (const name of NEEDED)
    if (!places.has(name)) throw new CsvError(`line ${line}: the header has no column ${name}`);
  return places;
}

function read({ line, fields }: CsvRecord, places: Map<string, number>): Read {
  const field = (name: Column) => fields[places.get(name) ?? -1]?.trim() ?? '';
  const no = (reason: string, text: string): Read => ({
    ok: false,
    line,
    reason: `${reason}: ${JSON.stringify(text.slice(0, 20))}`,
  });
  const tn = field('tn').replace(/[\s().+-]/g, '');
  const [country, state] = [field('country').toUpperCase(), field('state').toUpperCase()];
  const [city, center, kind] = [field('city'), field('rate_center').toUpperCase(), field('type') || 'long_code'];
  const features = (field('features') || 'voice').toLowerCase().split(/[\s;|,]+/);
  const [nrc, mrc] = [field('nrc') || '0', field('mrc') || '0'];
  if (!/^\d{8,15}$/.test(tn)) return no('tn is no number of 8 to 15 digits', field('tn'));
  if (!/^[A-Z]{2}$/.test(country)) return no('country is not two letters', country);
  if (!/^([A-Z]{2})?$/.test(state)) return no('state is not two letters', state);
  for (const place of [city, center])
    if (place.length > PLACE_LENGTH_MAX || /\p{Cc}/u.test(place)) return no('a place has no such name', place);
  if (kind !== 'long_code' && kind !== 'toll_free') return no('type is neither long_code nor toll_free', kind);
  const unknown = features.find((name) => !FEATURES.has(name));
  if (unknown !== undefined) return no(`features are ${[...FEATURES].join(', ')}, not`, unknown);
  for (const price of [nrc, mrc]) if (!PRICE.test(price)) return no('a price is no amount', price);
  return {
    ok: true,
    offer: { tn, country, state, city, rate_center: center, kind, features: [...new Set(features)], nrc, mrc },
  };
}
