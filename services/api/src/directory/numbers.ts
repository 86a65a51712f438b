/** How a telephone number is compared: by its digits alone. Pure. */

/** The digits of a number as it came on the wire (`+1 800-555.0100`); undefined where it is no number. */
export function digitsOf(user: string): string | undefined {
  const bare = user.split(';')[0]!.replace(/[\s().-]/g, '');
  return /^\+?\d{3,20}$/.test(bare) ? bare.replace('+', '') : undefined;
}

export type ScreeningRow = { list: 'blacklist' | 'whitelist'; caller: string };

const matches = (caller: string, pattern: string): boolean =>
  pattern.endsWith('*') ? caller.startsWith(pattern.slice(0, -1)) : caller === pattern;

/**
 * The verdict on a caller: a whitelist that exists must hold them, a blacklist must not.
 * @returns why they are refused; undefined where they may call.
 */
export function screen(from: string, lists: readonly ScreeningRow[]): string | undefined {
  const caller = digitsOf(from) ?? from;
  const on = (list: string) => lists.some((row) => row.list === list && matches(caller, row.caller));
  if (on('blacklist')) return 'the caller is on the blacklist of this number';
  if (lists.some((row) => row.list === 'whitelist') && !on('whitelist'))
    return 'the caller is not on the whitelist of this number';
  return undefined;
}
