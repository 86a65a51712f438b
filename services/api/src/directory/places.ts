/** Where a number is at home: by the numbering table, else by its area code alone. It knows no ported number. */
import { stateOf } from '@opentact/numbering';
import type { Database } from '../database/database.ts';
import { digitsOf } from '../kernel/digits.ts';
import { DirectoryError } from './error.ts';

/** Area code, exchange, line. */
const NORTH_AMERICAN = /^1?([2-9]\d\d)([2-9]\d\d)\d{4}$/;

/**
 * State of two letters and county; both '' where neither is known.
 * @throws DirectoryError INVALID_ARGUMENT where it is no number
 */
export async function locate(db: Database, number: string): Promise<{ state: string; county: string }> {
  const digits = digitsOf(number);
  if (!digits) throw new DirectoryError('INVALID_ARGUMENT', 'not a number');
  const [, npa, nxx] = NORTH_AMERICAN.exec(digits) ?? [];
  if (!npa || !nxx) return { state: '', county: '' };
  const row = await db
    .selectFrom('numbering')
    .select(['state', 'county'])
    .where('npa', '=', npa)
    .where('nxx', '=', nxx)
    .executeTakeFirst();
  return row ?? { state: stateOf(digits), county: '' };
}
