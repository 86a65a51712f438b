// Bytes to message. Strict where an attacker would profit (line ends, numbers, duplicates, bounds), tolerant where
// RFC 4475 section 3.1.1 wants it (folding, blanks before colons, compact forms, odd tokens). It never throws.

import { parseCSeq, parseVia, type Via } from './fields.ts';
import { decimal, GrammarFault, isToken } from './grammar.ts';
import { canonicalName, type Fault, Headers, type SipMessage } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { parseUri } from './uri.ts';

export const MESSAGE_BYTES_MAX = 65_536;
export const HEADER_BYTES_MAX = 32_768;
export const HEADER_LINES_MAX = 256;
export const LINE_CHARS_MAX = 8_192;
const STATUS_MIN = 100;
const STATUS_MAX = 699;

type StartLine =
  | { method: string; uriText: string; version: string }
  | { status: number; reason: string }
  | { fault: string; method?: string };

/**
 * Parses one message. `datagram` (RFC 3261 18.3): bytes behind Content-Length are ignored, and the end of the bytes
 * closes a header section without its empty line. On streams the framer has already cut the message out.
 */
export function parseMessage(bytes: Buffer): SipMessage | Fault {
  if (bytes.length > MESSAGE_BYTES_MAX) return { kind: 'fault', status: 513, reason: 'Message is too large' };
  const start = skipEmptyLines(bytes);
  const blank = bytes.indexOf('\r\n\r\n', start, 'latin1');
  const headEnd = blank < 0 ? bytes.length : blank;
  if (headEnd - start > HEADER_BYTES_MAX) return { kind: 'fault', status: 513, reason: 'Headers are too large' };
  const text = bytes.toString('latin1', start, headEnd);
  const firstEnd = text.indexOf('\r\n');
  const line = parseStartLine(firstEnd < 0 ? text : text.slice(0, firstEnd));
  if ('fault' in line && line.method === undefined) return { kind: 'fault', status: 400, reason: line.fault };
  const headers = new Headers();
  const method = 'method' in line ? line.method : undefined;
  try {
    const unread = firstEnd < 0 ? undefined : readHeaders(text, firstEnd + 2, headers);
    if (unread !== undefined) throw new GrammarFault(unread);
    if ('fault' in line) throw new GrammarFault(line.fault);
    if ('version' in line && line.version !== 'SIP/2.0') {
      return { kind: 'fault', status: 505, reason: 'Version Not Supported', method, headers };
    }
    const bodyStart = blank < 0 ? bytes.length : blank + 4;
    const bodyEnd = bodyStart + bodyLength(headers, bytes.length - bodyStart);
    return compose(line, headers, bytes.subarray(start, bodyEnd), bytes.subarray(bodyStart, bodyEnd));
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    return { kind: 'fault', status: 400, reason: error.message, method, headers };
  }
}

function skipEmptyLines(bytes: Buffer): number {
  let start = 0;
  while (bytes[start] === 13 && bytes[start + 1] === 10) start += 2;
  return start;
}

const REQUEST_LINE = /^([^ ]+) (.*) (SIP\/[0-9]+\.[0-9]+)$/i;
const STATUS_LINE = /^SIP\/2\.0 ([0-9]{3}) (.*)$/i;

/** RFC 3261 7.1 and 7.2: single blanks and nothing else between the three parts. */
function parseStartLine(text: string): StartLine {
  if (text.length > LINE_CHARS_MAX) return { fault: 'Start line is too long' };
  if (/^SIP\//i.test(text)) {
    const match = STATUS_LINE.exec(text);
    const status = match ? Number(match[1]) : 0;
    if (status < STATUS_MIN || status > STATUS_MAX) return { fault: 'Status line is malformed' };
    return { status, reason: match![2]! };
  }
  const match = REQUEST_LINE.exec(text);
  if (!match || !isToken(match[1]!)) {
    const method = /^([^ ]+) .* SIP\//i.exec(text)?.[1];
    return { fault: 'Request line is malformed', method: method && isToken(method) ? method : undefined };
  }
  const [, method, uriText, version] = match as unknown as [string, string, string, string];
  if (/[\s]/.test(uriText)) return { fault: 'Request-URI holds white space', method };
  if (uriText.startsWith('<')) return { fault: 'Request-URI stands in angle brackets', method };
  return { method, uriText, version: version.toUpperCase() };
}

/**
 * Headers of a whole header section with its start line, for the framer of streams: a start line that is wrong does not
 * hide where the message ends, nor does a header line that can't be read (`fault` says why).
 */
export function readHeaderSection(text: string): { method: string | undefined; headers: Headers; fault?: string } {
  const firstEnd = text.indexOf('\r\n');
  const line = parseStartLine(firstEnd < 0 ? text : text.slice(0, firstEnd));
  const headers = new Headers();
  const fault = firstEnd < 0 ? undefined : readHeaders(text, firstEnd + 2, headers);
  return { method: 'method' in line ? line.method : undefined, headers, ...(fault === undefined ? {} : { fault }) };
}

/**
 * Reads header lines, joining folded ones (RFC 3261 7.3.1), and says what is wrong with the first that can't be read. All
 * others are read all the same, so that the answer can echo them and a stream goes on behind the message.
 */
function readHeaders(text: string, from: number, headers: Headers): string | undefined {
  let at = from;
  let fault: string | undefined;
  while (at < text.length) {
    let end = text.indexOf('\r\n', at);
    if (end < 0) end = text.length;
    let line = text.slice(at, end);
    at = end + 2;
    for (let next = text.charCodeAt(at); next === 32 || next === 9; next = text.charCodeAt(at)) {
      end = text.indexOf('\r\n', at);
      if (end < 0) end = text.length;
      line += ` ${text.slice(at, end).trim()}`;
      at = end + 2;
    }
    const wrong = line === '' ? undefined : addHeader(line, headers);
    fault ??= wrong;
  }
  return fault;
}

const ECHOED = new Set(['via', 'from', 'to', 'call-id', 'cseq']);

function addHeader(line: string, headers: Headers): string | undefined {
  if (line.length > LINE_CHARS_MAX) return 'Header line is too long';
  const colon = line.indexOf(':');
  const name = colon < 0 ? '' : line.slice(0, colon).trimEnd();
  if (!isToken(name)) return 'Header has no name';
  // A lone CR or LF would be a line end to some other parser on the way.
  if (line.indexOf('\n') >= 0 || line.indexOf('\r') >= 0) return 'Header line holds a lone CR or LF';
  const known = canonicalName(name);
  const isFull = headers.names.length >= HEADER_LINES_MAX;
  // Where the message ends, and what its answer echoes, must be known whatever else is wrong.
  const isNeeded = known === 'content-length' || (ECHOED.has(known) && headers.get(known) === undefined);
  if (!isFull || isNeeded) headers.add(known, line.slice(colon + 1).trim());
  return isFull ? 'Too many headers' : undefined;
}

/** Bytes of the body (RFC 3261 18.3, 20.14). Throws GrammarFault. */
function bodyLength(headers: Headers, available: number): number {
  const text = headers.get('content-length');
  if (text === undefined) return available;
  const length = contentLength(headers);
  if (length > available) throw new GrammarFault('Content-Length is larger than the body');
  return length;
}

/** The one Content-Length, or 0 where there is none. Throws GrammarFault on signs, doubles and overflows. */
export function contentLength(headers: Headers): number {
  const lines = headers.lines('content-length');
  if (lines.length === 0) return 0;
  if (lines.length > 1) throw new GrammarFault('Content-Length occurs twice');
  const length = decimal(lines[0]!, MESSAGE_BYTES_MAX);
  if (length === undefined) throw new GrammarFault('Content-Length is not a number within bounds');
  return length;
}

const ONCE = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Type'];
const OWED = ['From', 'To', 'Call-ID', 'CSeq', 'Via'];

function compose(line: StartLine, headers: Headers, raw: Buffer, body: Buffer): SipMessage {
  for (const name of OWED) {
    if (headers.get(name.toLowerCase()) === undefined) throw new GrammarFault(`${name} is missing`);
  }
  for (const name of ONCE) {
    if (headers.count(name.toLowerCase()) > 1) throw new GrammarFault(`${name} occurs twice`);
  }
  const common = {
    headers,
    via: named('Via', () => parseTopVia(headers)),
    from: named('From', () => parseNameAddr(headers.get('from')!)),
    to: named('To', () => parseNameAddr(headers.get('to')!)),
    callId: parseCallId(headers.get('call-id')!),
    cseq: named('CSeq', () => parseCSeq(headers.get('cseq')!)),
    body,
    raw,
  };
  if ('status' in line) return { kind: 'response', status: line.status, reason: line.reason, ...common };
  if (!('uriText' in line)) throw new GrammarFault('Request line is malformed');
  const { method, uriText } = line;
  if (common.cseq.method !== method) throw new GrammarFault('CSeq method is not the method of the request');
  checkOptional(headers);
  const uri = named('Request-URI', () => parseUri(uriText));
  // Headers in a Request-URI are forbidden; honouring them would let a URI write our Route (RFC 3261 19.1.1).
  if (uri.kind === 'sip' && uri.headers !== undefined) throw new GrammarFault('Request-URI holds headers');
  return { kind: 'request', method, uri, uriText, ...common };
}

function parseTopVia(headers: Headers): Via {
  const line = headers.get('via')!;
  if (line.indexOf(',') < 0) return parseVia(line);
  return parseVia(headers.list('via')[0]!);
}

function parseCallId(text: string): string {
  if (text === '' || text.length > 512 || /\s/.test(text)) throw new GrammarFault('Call-ID is malformed');
  return text;
}

/** What need not be there but may not be broken either. */
function checkOptional(headers: Headers): void {
  const forwards = headers.get('max-forwards');
  if (forwards !== undefined && decimal(forwards, 255) === undefined) {
    throw new GrammarFault('Max-Forwards is not a number below 256');
  }
  for (const line of headers.lines('contact')) {
    if (line === '*') continue;
    named('Contact', () => {
      if (line.indexOf(',') < 0) parseNameAddr(line);
      else for (const value of headers.list('contact')) parseNameAddr(value);
    });
  }
}

/** Runs a parse and puts the header's name before the fault it may have. */
function named<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof GrammarFault) throw new GrammarFault(`${name}: ${error.message}`);
    throw error;
  }
}
