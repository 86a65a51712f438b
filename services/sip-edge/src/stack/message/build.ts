// Messages to bytes. Every line passes one gate that refuses CR and LF, so no value can add a header of its own.

import { formatVia, parseVia } from './fields.ts';
import { GrammarFault, isToken, splitCommas } from './grammar.ts';
import type { Fault, Headers, SipRequest } from './message.ts';
import type { Param } from './params.ts';
import { reasonOf } from './reasons.ts';

export type HeaderLine = readonly [name: string, value: string];

const NO_BODY = Buffer.alloc(0);

/** Bytes of a message; Content-Length is counted here and nowhere else. Throws GrammarFault on an injection. */
export function formatMessage(startLine: string, lines: readonly HeaderLine[], body: Buffer = NO_BODY): Buffer {
  let text = `${checked(startLine)}\r\n`;
  for (const [name, value] of lines) {
    if (!isToken(name)) throw new GrammarFault('header name is not a token');
    text += `${name}: ${checked(value)}\r\n`;
  }
  text += `Content-Length: ${body.length}\r\n\r\n`;
  if (body.length === 0) return Buffer.from(text, 'latin1');
  return Buffer.concat([Buffer.from(text, 'latin1'), body]);
}

function checked(value: string): string {
  if (value.indexOf('\r') >= 0 || value.indexOf('\n') >= 0) throw new GrammarFault('a header may hold no line end');
  return value;
}

/** Where a request came from, as the top Via of its answers tells (RFC 3261 18.2.1, RFC 3581 section 4). */
export type Source = { readonly address: string; readonly port: number };

export type ResponseOptions = {
  readonly reason?: string;
  /** Our To tag, added where the request carries none. */
  readonly toTag?: string;
  readonly lines?: readonly HeaderLine[];
  readonly body?: { readonly type: string; readonly bytes: Buffer };
};

/**
 * An answer to a request, or to what could be read of a broken one (RFC 3261 8.2.6). Via is echoed with `received`
 * and, where it was asked for, `rport`; Record-Route is echoed where a dialog may follow (RFC 3261 12.1.1).
 */
export function formatResponse(
  to: SipRequest | (Fault & { method?: string }),
  source: Source,
  status: number,
  options: ResponseOptions = {},
): Buffer {
  const { headers } = to;
  if (!headers) throw new GrammarFault('nothing was read that could be echoed');
  const lines: HeaderLine[] = headers
    .lines('via')
    .map((line, at) => ['Via', at === 0 ? receivedVia(line, source) : line]);
  if (status > 100 && status < 300 && to.method !== 'CANCEL') {
    for (const line of headers.lines('record-route')) lines.push(['Record-Route', line]);
  }
  echo(lines, headers, 'From');
  const toLine = headers.get('to');
  if (toLine !== undefined) lines.push(['To', withTag(to, toLine, options.toTag)]);
  echo(lines, headers, 'Call-ID');
  echo(lines, headers, 'CSeq');
  if (options.lines) lines.push(...options.lines);
  if (options.body) lines.push(['Content-Type', options.body.type]);
  return formatMessage(`SIP/2.0 ${status} ${options.reason ?? reasonOf(status)}`, lines, options.body?.bytes);
}

function echo(lines: HeaderLine[], headers: Headers, name: string): void {
  const value = headers.get(name.toLowerCase());
  if (value !== undefined) lines.push([name, value]);
}

function withTag(to: SipRequest | Fault, line: string, tag: string | undefined): string {
  if (tag === undefined) return line;
  const hasTag = to.kind === 'request' ? to.to.params.some(({ name }) => name === 'tag') : /;\s*tag\s*=/i.test(line);
  if (hasTag) return line;
  // An address without brackets has only header parameters, so the tag may follow it as it is.
  return `${line};tag=${tag}`;
}

/** A broken Via is echoed as it came: its sender must recognise it, nobody else will. */
function receivedVia(line: string, source: Source): string {
  try {
    const [top, ...others] = splitCommas(line) as [string, ...string[]];
    const via = parseVia(top);
    const params: Param[] = via.params.filter(({ name }) => name !== 'received' && name !== 'rport');
    const wantsPort = via.params.some(({ name }) => name === 'rport');
    if (wantsPort) params.push({ name: 'rport', value: String(source.port) });
    if (wantsPort || via.host !== bracketed(source.address)) params.push({ name: 'received', value: source.address });
    if (params.length === via.params.length && !wantsPort) return line;
    return [formatVia({ ...via, params }), ...others].join(', ');
  } catch (error) {
    if (error instanceof GrammarFault) return line;
    throw error;
  }
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
