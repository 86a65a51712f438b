// SIP and SIPS URIs taken apart, put together and compared (RFC 3261 19.1). Other schemes are kept as they are,
// for whoever answers 416. It refuses blanks, brackets, bad escapes of the host and ports beyond 65535.

import { decimal, GrammarFault, unescapePercent } from './grammar.ts';
import { formatParams, type Params, paramOf, parseUriParams } from './params.ts';

/** `user` and `password` are raw (escapes kept); `host` is lower case, IPv6 in brackets; `headers` is raw, no `?`. */
export type SipUri = {
  readonly kind: 'sip';
  readonly scheme: 'sip' | 'sips';
  readonly user?: string;
  readonly password?: string;
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
  readonly headers?: string;
};

/** A URI of a scheme we don't route by, for example `tel:`. `rest` is what follows the colon. */
export type OtherUri = { readonly kind: 'other'; readonly scheme: string; readonly rest: string };

export type Uri = SipUri | OtherUri;

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const FORBIDDEN = /[\s<>"\\^`{}|]/;
const USERINFO = /^[A-Za-z0-9\-_.!~*'()%&=+$,;?/:#[\]]*$/;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?$/;
const HOST_IPV6 = /^\[[0-9A-Fa-f:.]{2,45}\]$/;
const REST = /^[A-Za-z0-9\-_.!~*'()%[\]/:&+$?=;@,#]*$/;

/** Parses a URI without brackets. Throws GrammarFault. */
export function parseUri(text: string): Uri {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (colon < 1 || !SCHEME.test(scheme)) throw new GrammarFault('URI has no scheme');
  if (scheme !== 'sip' && scheme !== 'sips') {
    if (/[\s<>"]/.test(text)) throw new GrammarFault('URI holds a character that must be escaped');
    return { kind: 'other', scheme, rest: text.slice(colon + 1) };
  }
  // Unescaped, `@` may stand only between user and host: `;`, `?` and `/` before it belong to the user (19.1.2).
  const at = text.indexOf('@', colon);
  const hostStart = at < 0 ? colon + 1 : at + 1;
  const hostEnd = endOfHost(text, hostStart);
  const question = text.indexOf('?', hostEnd);
  const paramsEnd = question < 0 ? text.length : question;
  const tail = text.slice(hostEnd);
  if (tail !== '' && (FORBIDDEN.test(tail) || !REST.test(tail))) {
    throw new GrammarFault('URI parameter holds a character that must be escaped');
  }
  return {
    kind: 'sip',
    scheme,
    ...(at < 0 ? {} : parseUserInfo(text.slice(colon + 1, at))),
    ...parseHostPort(text.slice(hostStart, hostEnd)),
    params: parseUriParams(text.slice(hostEnd, paramsEnd)),
    ...(question < 0 ? {} : { headers: text.slice(question + 1) }),
  };
}

function endOfHost(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 59 || code === 63) return at;
  }
  return text.length;
}

function parseUserInfo(text: string): { user: string; password?: string } {
  if (text === '') throw new GrammarFault('URI has an empty user');
  if (!USERINFO.test(text)) throw new GrammarFault('URI user holds a character that must be escaped');
  const colon = text.indexOf(':');
  return colon < 0 ? { user: text } : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Parses `host[:port]` of URIs and of Via. Throws GrammarFault. */
export function parseHostPort(text: string): { host: string; port?: number } {
  const colon = text.startsWith('[') ? text.indexOf(':', text.indexOf(']')) : text.indexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  if (host.length > 255 || !(HOST_NAME.test(host) || HOST_IPV6.test(host))) throw new GrammarFault('host is malformed');
  if (colon < 0) return { host: host.toLowerCase() };
  const port = decimal(text.slice(colon + 1), 65_535);
  if (port === undefined) throw new GrammarFault('port is not a number below 65536');
  return { host: host.toLowerCase(), port };
}

export function formatUri(uri: Uri): string {
  if (uri.kind === 'other') return `${uri.scheme}:${uri.rest}`;
  const password = uri.password === undefined ? '' : `:${uri.password}`;
  const user = uri.user === undefined ? '' : `${uri.user}${password}@`;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const headers = uri.headers === undefined ? '' : `?${uri.headers}`;
  return `${uri.scheme}:${user}${uri.host}${port}${formatParams(uri.params)}${headers}`;
}

/** Parameters that must stand in both URIs or in neither (RFC 3261 19.1.4). */
const BOTH_OR_NEITHER = ['user', 'ttl', 'method', 'maddr', 'transport'];

/** Whether two URIs name the same resource (RFC 3261 19.1.4). Not transitive, as the RFC remarks itself. */
export function sameUri(a: Uri, b: Uri): boolean {
  if (a.kind === 'other' || b.kind === 'other') {
    return a.kind === b.kind && a.scheme === b.scheme && (a as OtherUri).rest === (b as OtherUri).rest;
  }
  if (a.scheme !== b.scheme || a.host !== b.host || a.port !== b.port) return false;
  if (!sameUserPart(a.user, b.user) || !sameUserPart(a.password, b.password)) return false;
  for (const { name, value } of a.params) {
    const other = paramOf(b.params, name);
    if (other === undefined ? BOTH_OR_NEITHER.includes(name) : !sameText(value ?? '', other)) return false;
  }
  for (const { name } of b.params) {
    if (BOTH_OR_NEITHER.includes(name) && paramOf(a.params, name) === undefined) return false;
  }
  return sameHeaders(a.headers, b.headers);
}

/** Users compare case-sensitively once unreserved escapes are undone; `%00` and the like stay what they are. */
function sameUserPart(a: string | undefined, b: string | undefined): boolean {
  return (a === undefined) === (b === undefined) && normalUser(a ?? '') === normalUser(b ?? '');
}

/** Undoes the escapes that need none, so that `%61lice` and `alice` agree but `a%40b` keeps its escape (19.1.4). */
export function normalUser(user: string): string {
  return user.replace(/%[0-9A-Fa-f]{2}/g, (triple) => {
    const char = unescapePercent(triple);
    return /[A-Za-z0-9\-_.!~*'()]/.test(char) ? char : triple.toUpperCase();
  });
}

/** Whom a URI names: the user, or the number alone; and the parameters of the number (RFC 3966 5.1, 4694), raw, without `;`. */
export type Subscriber = { readonly user: string; readonly parameters?: string };

/** Digits, `*` and `#` with the visual separators of RFC 3966 5.1.1, or blanks, between them. */
const NUMBER = /^\+?[0-9*#(][0-9*#().\- ]*$/;
const ESCAPED_IN_NUMBER = /%(?:2[0389BDEbde]|2[Aa])/g;

/**
 * The user of a URI as it is compared: a telephone number without visual separators and parameters, also where it stands
 * in a SIP URI (RFC 3261 19.1.6); a name with its needless escapes undone. Empty where the URI names nobody.
 */
export function subscriberOf(uri: Uri): Subscriber {
  if (uri.kind === 'other' && uri.scheme !== 'tel') return { user: uri.rest };
  const text = uri.kind === 'sip' ? (uri.user ?? '') : uri.rest;
  const end = text.indexOf(';');
  const head = (end < 0 ? text : text.slice(0, end)).replace(ESCAPED_IN_NUMBER, unescapePercent);
  if (!NUMBER.test(head) || !/[0-9]/.test(head)) return { user: normalUser(text) };
  const user = head.replace(/[().\- ]/g, '');
  return end < 0 || end === text.length - 1 ? { user } : { user, parameters: text.slice(end + 1) };
}

function sameText(a: string, b: string): boolean {
  return unescapePercent(a).toLowerCase() === unescapePercent(b).toLowerCase();
}

function sameHeaders(a: string | undefined, b: string | undefined): boolean {
  const normal = (text: string | undefined) => (text ?? '').split('&').map(unescapePercent).sort().join('&');
  return normal(a) === normal(b);
}
