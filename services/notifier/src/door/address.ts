/**
 * A customer's address as it is asked for: the host by the URL standard, which is also who is judged and connected to; path
 * and query byte for byte as they were written, since signed URLs break where they are encoded anew. It refuses what is
 * neither http nor https, and what is longer than servers take.
 */
import { DoorError } from './refusals.ts';

const LENGTH_MAX = 8192;

export type Address = {
  url: URL;
  /** The request target (RFC 9112 3.2.1): path and query. */
  target: string;
};

/** @param base where a relative `text` came from. @throws DoorError `bad-url` */
export function parseAddress(text: string, base?: Address): Address {
  const url =
    text.length <= LENGTH_MAX && URL.canParse(text, base?.url.href) ? new URL(text, base?.url.href) : undefined;
  if (!url) throw new DoorError('bad-url', 'not a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new DoorError('bad-url', `${url.protocol} is neither http: nor https:`);
  const target = targetOf(text, url, base) ?? url.pathname + url.search;
  if (target.length > LENGTH_MAX) throw new DoorError('bad-url', `longer than ${LENGTH_MAX} bytes once encoded`);
  return { url, target };
}

/** The address that was asked, as a receiver sees it: no credentials and no fragment. */
export const receivedAs = ({ url, target }: Address): string => url.origin + target;

/** The target as it was written; undefined where the standard reads the text in another way than it looks. */
function targetOf(text: string, url: URL, base: Address | undefined): string | undefined {
  const plain = trimmed(text);
  const whole = /^https?:\/\/([^/?#\\]+)/i.exec(plain);
  if (whole) {
    const { 0: start, 1: authority } = whole;
    const host = `${url.protocol}//${authority}`;
    if (!URL.canParse(host) || new URL(host).host !== url.host) return undefined;
    return written(plain.slice(start.length));
  }
  if (!base || /^[a-z][a-z0-9+.-]*:/i.test(plain)) return undefined;
  if (plain.startsWith('?')) return written(base.target.split('?', 1)[0] + plain);
  return plain.startsWith('/') && !/^\/[/\\]/.test(plain) ? written(plain) : undefined;
}

/** As the standard does first: no blanks around, no tabs and line ends within. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end).replace(/[\t\r\n]/g, '');
}

/** Only what no request line can carry is encoded; what begins otherwise is left to the standard. */
function written(rest: string): string | undefined {
  const hash = rest.indexOf('#');
  const shown = hash < 0 ? rest : rest.slice(0, hash);
  if (shown !== '' && shown[0] !== '/' && shown[0] !== '?') return undefined;
  const target = shown[0] === '/' ? shown : `/${shown}`;
  return target.replace(/[^\x21-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()));
}

/** `user:password@` of a URL as the header says it. What is no percent-encoding stands for itself. */
export function basicAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = Buffer.concat([percentDecoded(username), Buffer.from(':'), percentDecoded(password)]);
  return { authorization: `Basic ${pair.toString('base64')}` };
}

/** Percent-decoding of the URL standard: of bytes, and never a failure. */
function percentDecoded(text: string): Buffer {
  return Buffer.from(
    Buffer.from(text)
      .toString('latin1')
      .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
