/**
 * Telephone numbers as people and programs write them: `(212) 555-0100`, `+1.212.555.0100`, `tel:+1-212-555-0100;isub=1`.
 * It refuses names, addresses, and what has other characters or more than 20 digits. One pass over a bounded text.
 */

const LENGTH_MAX = 256;
/** ASCII and the blanks and hyphens that word processors put in their place. */
const NUMBER = /^\+?[0-9(][0-9 ()./\u00A0\u2009\u2010-\u2015\u202F-]{0,40}$/;
const DIGITS_MAX = 20;

/**
 * The number alone, with its `+` where it has one; undefined where it is none. The parameters of a `tel:` URI are dropped
 * (RFC 3966 5.1).
 */
export function writtenNumber(text: string): string | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const isUri = /^tel:/i.test(text);
  const [number = ''] = isUri ? text.slice(4).split(';', 1) : [text];
  const digits = number.replace(/[^0-9]/g, '');
  if (!NUMBER.test(number) || digits === '' || digits.length > DIGITS_MAX) return undefined;
  return `${number.startsWith('+') ? '+' : ''}${digits}`;
}
