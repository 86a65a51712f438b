/** What a caller may enter at a Gather, as far as the document tells it apart: one code of each kind. */
import type { Gather } from '../domain/language/verb.ts';

/** Silence first, then each code that can be entered, a code that no branch names, and the key that ends the input alone. */
export function keysOf(gather: Gather): Array<readonly [name: string, keys: string]> {
  const codes = [...new Set(gather.branches.map(({ digits }) => digits))].filter((code) => isTypable(code, gather));
  const other = unmatched(gather);
  const finish = gather.finishKeys.replaceAll('+', '')[0];
  return [
    ['nothing entered', ''],
    ...codes.map((code) => [`keys ${code}`, code] as const),
    ...(other ? [[`other keys, ${other}`, other] as const] : []),
    ...(finish ? [[`${finish} alone`, finish] as const] : []),
  ];
}

/** Can a telephone enter it before the input is over? */
function isTypable(code: string, { digitsMax, finishKeys }: Gather): boolean {
  return code !== '' && code.length <= digitsMax && ![...code].some((key) => key === '+' || finishKeys.includes(key));
}

const KEYS = '9876543210*#';

/** A code that no branch names, as short as can be; undefined where every code of two keys has a branch. */
function unmatched(gather: Gather): string | undefined {
  const isOther = (code: string) => isTypable(code, gather) && !gather.branches.some(({ digits }) => digits === code);
  const keys = [...KEYS];
  return keys.find(isOther) ?? keys.flatMap((a) => keys.map((b) => a + b)).find(isOther);
}
