/**
 * Exchanges of a routing guide: the columns npa, nxx, state and county, found by the names in the header in any order and
 * case. It refuses a file without them; a record that can't be one is told with its line, and the others are taken.
 */
import type { Line } from '../database/save-in-batches.ts';
import { CsvError, type CsvRecord } from '../kernel/csv.ts';

export type Exchange = { npa: string; nxx: string; state: string; county: string };

/** One record: an exchange, or why it is none. */
export type Read = Line<{ exchange: Exchange }>;

const COLUMNS = ['npa', 'nxx', 'state', 'county'] as const;
const COUNTY_LENGTH_MAX = 64;

/** @throws CsvError where the header lacks a column, or has one twice. */
export async function* exchangesOf(records: AsyncIterable<CsvRecord>): AsyncGenerator<Read> {
  let places: number[] | undefined;
  for await (const record of records) {
    if (places) yield read(record, places);
    else places = placesIn(record);
  }
  if (!places) throw new CsvError('the file is empty; its first line names the columns npa, nxx, state, county');
}

function placesIn({ line, fields }: CsvRecord): number[] {
  const names = fields.map((name) => name.trim().toLowerCase());
  return COLUMNS.map((column) => {
    const at = names.indexOf(column);
    if (at < 0) throw new CsvError(`line ${line}: the header has no column ${column}`);
    if (names.lastIndexOf(column) !== at) throw new CsvError(`line ${line}: the header has two columns ${column}`);
    return at;
  });
}

function read({ line, fields }: CsvRecord, places: number[]): Read {
  const [npa = '', nxx = '', state = '', county = ''] = places.map((at) => fields[at]?.trim().toUpperCase());
  const no = (reason: string): Read => ({ ok: false, line, reason });
  const shown = (text: string) => JSON.stringify(text.slice(0, 20));
  if (!/^[2-9]\d\d$/.test(npa)) return no(`npa is no area code: ${shown(npa)}`);
  if (!/^[2-9]\d\d$/.test(nxx)) return no(`nxx is no exchange: ${shown(nxx)}`);
  if (!/^[A-Z]{2}$/.test(state)) return no(`state is not two letters: ${shown(state)}`);
  if (county.length > COUNTY_LENGTH_MAX || /\p{Cc}/u.test(county)) return no(`county is no name: ${shown(county)}`);
  return { ok: true, exchange: { npa, nxx, state, county } };
}
