// The session description in a message's body: the body itself, or a part of a multipart one (RFC 5621, RFC 2046 5.1).
// It refuses bodies that must be understood and aren't SDP, and more than PARTS_MAX parts or DEPTH_MAX levels.

import { unquote } from './grammar.ts';
import type { SipMessage } from './message.ts';

const SDP = 'application/sdp';
const PARTS_MAX = 16;
const DEPTH_MAX = 3;
const PART_HEADER_BYTES_MAX = 4_096;

type Part = { readonly type: string; readonly disposition: string; readonly encoding: string; readonly bytes: Buffer };

/**
 * `sdp` is '' where there is none. `refused`: something else is there that must be understood: a single body, or each part
 * of one without SDP. Beside an SDP whatever a carrier adds (location, ISUP) is passed over, whatever it demands.
 */
export type Description = { readonly sdp: string; readonly refused: boolean };

const NONE: Description = { sdp: '', refused: false };

export function descriptionOf({ headers, body }: SipMessage): Description {
  if (body.length === 0) return NONE;
  const type = headers.get('content-type') ?? SDP;
  const disposition = headers.get('content-disposition') ?? '';
  return read({ type, disposition, encoding: headers.get('content-encoding') ?? '', bytes: body }, 0);
}

/** The SDP of a message; '' where it has none. */
export const sdpOf = (message: SipMessage): string => descriptionOf(message).sdp;

function read(part: Part, depth: number): Description {
  const type = mediaType(part.type);
  const encoding = part.encoding.trim().toLowerCase();
  const plain = encoding === '' || encoding === 'identity';
  if (plain && type === SDP) return { sdp: part.bytes.toString('utf8'), refused: false };
  const boundary = plain && type.startsWith('multipart/') ? boundaryOf(part.type) : undefined;
  if (boundary === undefined || depth === DEPTH_MAX) return { sdp: '', refused: !isOptional(part.disposition) };
  const parts = partsOf(part.bytes, boundary).map((each) => read(each, depth + 1));
  return parts.find(({ sdp }) => sdp !== '') ?? { sdp: '', refused: parts.some(({ refused }) => refused) };
}

const isOptional = (disposition: string) => /;\s*handling\s*=\s*"?optional"?\s*(?:;|$)/i.test(disposition);

export function mediaType(value: string): string {
  return value.split(';', 1)[0]!.replace(/\s/g, '').toLowerCase();
}

function boundaryOf(type: string): string | undefined {
  const value = /;\s*boundary\s*=\s*("[^"]{1,70}"|[^\s;"]{1,70})/i.exec(type)?.[1];
  return value && unquote(value);
}

function partsOf(body: Buffer, boundary: string): Part[] {
  const parts: Part[] = [];
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  let at = body.indexOf(mark);
  while (at >= 0 && parts.length < PARTS_MAX) {
    const start = at + mark.length;
    if (body[start] === 45 && body[start + 1] === 45) break;
    const next = body.indexOf(mark, start);
    const end = next < 0 ? body.length : next;
    const part = partOf(body.subarray(start, end));
    if (part) parts.push(part);
    at = next;
  }
  return parts;
}

function partOf(bytes: Buffer): Part | undefined {
  const lineEnd = bytes.indexOf('\r\n', 0, 'latin1');
  const blank = lineEnd < 0 ? -1 : bytes.indexOf('\r\n\r\n', lineEnd, 'latin1');
  if (blank < 0 || blank > PART_HEADER_BYTES_MAX) return undefined;
  const fields = new Map<string, string>();
  for (const line of bytes
    .toString('latin1', lineEnd + 2, blank)
    .replace(/\r\n[ \t]/g, ' ')
    .split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const content = bytes.subarray(blank + 4);
  // The line end before a boundary belongs to the boundary.
  const tail = content.length >= 2 && content[content.length - 2] === 13 ? content.length - 2 : content.length;
  const transfer = (fields.get('content-transfer-encoding') ?? '').toLowerCase();
  return {
    type: fields.get('content-type') ?? 'text/plain',
    disposition: fields.get('content-disposition') ?? '',
    encoding: fields.get('content-encoding') ?? '',
    bytes: transfer === 'base64' ? Buffer.from(content.toString('latin1'), 'base64') : content.subarray(0, tail),
  };
}
