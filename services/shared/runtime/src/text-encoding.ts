/**
 * Bytes as text, in the encoding that they say they are in: a byte order mark comes before a charset parameter, that before
 * an XML declaration (RFC 7303 3.2), and UTF-8 is what none of them makes it. It refuses by name what can't be read,
 * instead of losing letters without a word.
 */
import { TextDecoder } from 'node:util';

/** An XML declaration and its encoding stand at the very beginning. */
const DECLARATION_BYTES = 256;

const MARKS: ReadonlyArray<{ bytes: number[]; charset: string }> = [
  { bytes: [0x00, 0x00, 0xfe, 0xff], charset: 'utf-32be' },
  { bytes: [0xff, 0xfe, 0x00, 0x00], charset: 'utf-32le' },
  { bytes: [0xef, 0xbb, 0xbf], charset: 'utf-8' },
  { bytes: [0xfe, 0xff], charset: 'utf-16be' },
  { bytes: [0xff, 0xfe], charset: 'utf-16le' },
];

/** These bytes are no text in the encoding that they, or what came with them, name. */
export class UnreadableText extends Error {
  override name = 'UnreadableText';
}

/**
 * The text of a body.
 * @param contentType of the header that came with it; empty: none
 * @throws UnreadableText naming what said so and why it can't be read
 */
export function decodeText(body: Buffer, contentType: string): string {
  const { charset, by } = charsetOf(body, contentType);
  const refused = (why: string, cause: unknown) =>
    new UnreadableText(`${JSON.stringify(charset)} (${by}): ${why}`, { cause });
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch (error) {
    throw refused('no such encoding is known here', error);
  }
  try {
    return decoder.decode(body);
  } catch (error) {
    throw refused('there are bytes that are none of it', error);
  }
}

function charsetOf(body: Buffer, contentType: string): { charset: string; by: string } {
  const mark = MARKS.find(({ bytes }) => bytes.every((byte, n) => body[n] === byte));
  if (mark) return { charset: mark.charset, by: 'byte order mark' };
  const named = charsetParameter(contentType);
  const isBigEndian = body[0] === 0 && body[1] === 0x3c;
  if (named)
    return { charset: isBigEndian && named.toLowerCase() === 'utf-16' ? 'utf-16be' : named, by: 'Content-Type' };
  // UTF-16 without a mark shows by its first character (XML 1.0 F.1).
  if (body[0] === 0x3c && body[1] === 0) return { charset: 'utf-16le', by: 'first bytes' };
  if (isBigEndian) return { charset: 'utf-16be', by: 'first bytes' };
  const declared = declaredEncoding(body.toString('latin1', 0, DECLARATION_BYTES));
  // Read byte by byte it can't be what it says: some writers declare the encoding of their strings.
  if (/^utf-?16/i.test(declared)) return { charset: 'utf-8', by: 'first bytes' };
  return declared ? { charset: declared, by: 'XML declaration' } : { charset: 'utf-8', by: 'nothing says otherwise' };
}

/** `charset` of a Content-Type, quoted or not; the first where it stands twice. */
function charsetParameter(contentType: string): string {
  for (const parameter of contentType.split(';').slice(1)) {
    const equals = parameter.indexOf('=');
    if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== 'charset') continue;
    const value = parameter.slice(equals + 1).trim();
    const isQuoted = value.length > 1 && (value[0] === '"' || value[0] === "'") && value.at(-1) === value[0];
    return (isQuoted ? value.slice(1, -1) : value).trim().slice(0, 60);
  }
  return '';
}

/** The encoding of `<?xml version="1.0" encoding="…"?>`; empty where there is none. */
function declaredEncoding(start: string): string {
  const end = start.startsWith('<?xml') ? start.indexOf('?>') : -1;
  const at = end < 0 ? -1 : start.indexOf('encoding', 5);
  if (at < 0 || at > end) return '';
  const value = start.slice(at + 'encoding'.length, end).trimStart();
  if (value[0] !== '=') return '';
  const quoted = value.slice(1).trimStart();
  const close = quoted.indexOf(quoted[0] === "'" ? "'" : '"', 1);
  return (quoted[0] === '"' || quoted[0] === "'") && close > 1 ? quoted.slice(1, close).slice(0, 60) : '';
}
