// Via, CSeq and the small numeric headers (RFC 3261 20.16, 20.22, 20.42).
// It refuses numbers beyond their bounds and Via values without protocol, transport or host.

import { decimal, GrammarFault, isToken } from './grammar.ts';
import { formatParams, type Params, paramOf, parseHeaderParams } from './params.ts';
import { parseHostPort } from './uri.ts';

/** `transport` is upper case. `branch` is '' where the peer sent none (RFC 2543). */
export type Via = {
  readonly transport: string;
  readonly host: string;
  readonly port?: number;
  readonly params: Params;
  readonly branch: string;
};

export type CSeq = { readonly number: number; readonly method: string };

/** Branches of RFC 3261 begin with this; one that is nothing but this is matched as RFC 2543 does. */
export const MAGIC_COOKIE = 'z9hG4bK';

const VIA_START =
  /^SIP\s*\/\s*[0-9.]+\s*\/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+(\[[^\]\s]*\]|[^\s;,:[\]]+)(?:\s*:\s*([^\s;,]+))?\s*/i;

/** Parses one Via value; blanks around slashes, colons and semicolons are allowed. Throws GrammarFault. */
export function parseVia(text: string): Via {
  const start = VIA_START.exec(text);
  if (!start) throw new GrammarFault('Via has no protocol, transport and host');
  const params = parseHeaderParams(text.slice(start[0].length).trim());
  const branch = paramOf(params, 'branch') ?? '';
  const hostPort = start[3] === undefined ? start[2]! : `${start[2]}:${start[3]}`;
  return { transport: start[1]!.toUpperCase(), ...parseHostPort(hostPort), params, branch };
}

export function formatVia(via: { transport: string; host: string; port?: number; params: Params }): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `SIP/2.0/${via.transport} ${via.host}${port}${formatParams(via.params)}`;
}

/** Parses `4711 INVITE`; the number must be below 2^31 (RFC 3261 8.1.1.5). Throws GrammarFault. */
export function parseCSeq(text: string): CSeq {
  const gap = text.search(/[ \t]/);
  const method = gap < 0 ? '' : text.slice(gap).trim();
  const number = decimal(gap < 0 ? text : text.slice(0, gap), 0x7fff_ffff);
  if (number === undefined) throw new GrammarFault('CSeq number is not below 2**31');
  if (!isToken(method)) throw new GrammarFault('CSeq has no method');
  return { number, method };
}
