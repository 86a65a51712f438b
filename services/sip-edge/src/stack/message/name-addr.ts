// From, To, Contact, Route and Record-Route values: an address with or without a display name (RFC 3261 20.10).
// It refuses blanks inside the brackets, unquoted commas in names, and `?` or `,` in an address without brackets.

import { GrammarFault, isTokens, quote, quotedEnd, unquote } from './grammar.ts';
import { formatParams, type Params, parseHeaderParams } from './params.ts';
import { formatUri, parseUri, type Uri } from './uri.ts';

/** `display` is without quotes; `uriText` is the URI as it was written; `params` are the header's own. */
export type NameAddr = {
  readonly display: string;
  readonly uri: Uri;
  readonly uriText: string;
  readonly params: Params;
};

/** Parses one value. Throws GrammarFault. */
export function parseNameAddr(value: string): NameAddr {
  const text = value.trim();
  let display = '';
  let open = 0;
  if (text.startsWith('"')) {
    const end = quotedEnd(text, 0);
    display = unquote(text.slice(0, end));
    open = end;
    while (text.charCodeAt(open) === 32 || text.charCodeAt(open) === 9) open++;
    if (text.charCodeAt(open) !== 60) throw new GrammarFault('display name is not followed by an address');
  } else {
    // Brackets behind a semicolon or within quotes are a parameter's: this address has none of its own.
    open = text.search(/[<;"]/);
    if (open < 0 || text.charCodeAt(open) !== 60) return parseAddrSpec(text);
    display = text.slice(0, open).trim();
    if (!isTokens(display)) throw new GrammarFault('display name needs quotes');
  }
  const close = text.indexOf('>', open);
  if (close < 0) throw new GrammarFault('angle bracket is not closed');
  const uriText = text.slice(open + 1, close);
  if (/^\s|\s$/.test(uriText)) throw new GrammarFault('address holds white space');
  return { display, uri: parseUri(uriText), uriText, params: parseHeaderParams(text.slice(close + 1).trim()) };
}

/** Without brackets every `;` begins a parameter of the header, never of the URI (RFC 3261 20). */
function parseAddrSpec(text: string): NameAddr {
  const quoted = text.indexOf('"');
  const at = (quoted < 0 ? text : text.slice(0, quoted)).indexOf('@');
  const semicolon = text.indexOf(';', Math.max(at, 0));
  const uriText = (semicolon < 0 ? text : text.slice(0, semicolon)).trimEnd();
  if (/[?,]/.test(uriText)) throw new GrammarFault('address with a question mark or comma needs angle brackets');
  const params = semicolon < 0 ? parseHeaderParams('') : parseHeaderParams(text.slice(semicolon));
  return { display: '', uri: parseUri(uriText), uriText, params };
}

export function formatNameAddr(address: { display?: string; uri: Uri; params?: Params }): string {
  const display = address.display ? `${quote(address.display)} ` : '';
  return `${display}<${formatUri(address.uri)}>${formatParams(address.params ?? [])}`;
}
