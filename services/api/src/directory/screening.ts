/**
 * Who may call a number, by the lists of its TN profile (reference 1.6): a whitelist that holds anybody must hold the
 * caller, then the blacklist must not. Somebody who withholds the number is on no whitelist.
 */
import type { Database } from '../database/database.ts';
import { digitsOf } from '../kernel/digits.ts';

/** `caller`: digits, then `%` for one digit each and `*` for any rest. */
export type Screened = { list: 'blacklist' | 'whitelist'; caller: string };

const CALLERS_MAX = 5000;

/** The lists of a number as they are now; none for a number without a profile. */
export const listsOf = (db: Database, number: string): Promise<Screened[]> =>
  db
    .selectFrom('tn_profile_caller')
    .innerJoin('lease', 'lease.tn_profile_id', 'tn_profile_caller.profile_id')
    .select(['tn_profile_caller.list', 'tn_profile_caller.caller'])
    .where('lease.tn', '=', number)
    .where('lease.released_on', 'is', null)
    .limit(CALLERS_MAX)
    .execute();

function matches(caller: string, mask: string): boolean {
  let end = mask.length;
  while (end > 0 && (mask[end - 1] === '*' || mask[end - 1] === '%')) end--;
  const fixed = mask.slice(0, end);
  if (!caller.startsWith(fixed)) return false;
  const signs = mask.slice(fixed.length);
  const rest = caller.length - fixed.length;
  const positions = signs.replaceAll('*', '').length;
  return signs.includes('*') ? rest >= positions : rest === positions;
}

/**
 * The verdict on a caller.
 * @param from the user part of From
 * @param withheld the caller doesn't want to be known
 * @returns why they are refused; undefined where they may call
 */
export function screen(from: string, withheld: boolean, lists: readonly Screened[]): string | undefined {
  const caller = digitsOf(from) ?? from; // a name is on a list only by `*`
  const on = (list: Screened['list']) => lists.some((row) => row.list === list && matches(caller, row.caller));
  const isListed = lists.some(({ list }) => list === 'whitelist');
  if (isListed && withheld) return 'the caller withholds the number, and this number has a whitelist';
  if (isListed && !on('whitelist')) return 'the caller is not on the whitelist of this number';
  return on('blacklist') ? 'the caller is on the blacklist of this number' : undefined;
}
