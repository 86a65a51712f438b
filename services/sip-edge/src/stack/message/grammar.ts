// The few character rules of RFC 3261 section 25 that everything else here is built from.
// It refuses unbalanced quotes and brackets; it never guesses where a broken value ends.

/** A fault in one value: the sentence goes into the reason phrase of the answer. */
export class GrammarFault extends Error {
  override name = 'GrammarFault';
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
/** Letters beyond ASCII must be quoted, but many phones don't, and nothing else can begin with them. */
const TOKENS_AND_SPACES = /^[A-Za-z0-9\-.!%*_+`'~ \t\x80-\xff]*$/;

/** `token` of RFC 3261 25.1. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** `*(token LWS)`: an unquoted display name (RFC 3261 25.1), so a comma or a dot-less quote in it is a fault. */
export function isTokens(text: string): boolean {
  return TOKENS_AND_SPACES.test(text);
}

/** A decimal number within bounds, or undefined. Refuses signs, blanks and whatever overflows `max`. */
export function decimal(text: string, max: number): number | undefined {
  if (text.length === 0 || text.length > 16 || !/^[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

/** Index just behind the quoted string that begins at `start` (RFC 3261 25.1 quoted-string with quoted-pair). */
export function quotedEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 92) at++;
    else if (code === 34) return at + 1;
  }
  throw new GrammarFault('quoted string has no closing quote');
}

/** First `wanted` character from `start` on that stands outside quotes and, if asked, outside `<…>`; -1 if none. */
export function indexOutside(text: string, wanted: string, start: number, skipBrackets: boolean): number {
  const code = wanted.charCodeAt(0);
  for (let at = start; at < text.length; at++) {
    const here = text.charCodeAt(at);
    if (here === code) return at;
    if (here === 34) at = quotedEnd(text, at) - 1;
    else if (here === 60 && skipBrackets) {
      const close = text.indexOf('>', at);
      if (close < 0) throw new GrammarFault('angle bracket is not closed');
      at = close;
    }
  }
  return -1;
}

/** The values of a comma-separated header, trimmed (RFC 3261 7.3.1). Commas in quotes and `<…>` don't divide. */
export function splitCommas(text: string): string[] {
  if (text.indexOf(',') < 0) return [text.trim()];
  const values: string[] = [];
  let start = 0;
  for (;;) {
    const comma = indexOutside(text, ',', start, true);
    values.push((comma < 0 ? text.slice(start) : text.slice(start, comma)).trim());
    if (comma < 0) return values;
    start = comma + 1;
  }
}

/** Content of a quoted string without its quotes and escapes; any other text as it is. */
export function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.slice(1, -1).replace(/\\([\s\S])/g, '$1');
}

/** A quoted string that can't be broken out of: quotes and backslashes escaped, control characters refused. */
export function quote(text: string): string {
  if (hasControl(text)) throw new GrammarFault('a control character can not be quoted');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Whether the text holds a control character other than a tab: what header injection is made of. */
export function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code < 32 && code !== 9) || code === 127) return true;
  }
  return false;
}

const ESCAPED = /%[0-9A-Fa-f]{2}/;

/** `%41` becomes `A` (RFC 3261 19.1.2). Bytes above 127 stay as latin-1 characters; a lone `%` stays as it is. */
export function unescapePercent(text: string): string {
  if (!ESCAPED.test(text)) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
