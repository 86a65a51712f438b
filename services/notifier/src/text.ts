/**
 * A body as text: decompressed, and in the encoding that it says it is in (`decodeText`). It refuses by name what can't be
 * read.
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { decodeText } from '@opentact/runtime';
import { DoorError } from './door/refusals.ts';

const CODINGS_MAX = 3;
/** The content codings of a body, the first applied first (RFC 9110 8.4). @throws DoorError `http` where one is unknown */
export function codingsOf(header: string | undefined, status: number): Array<'gzip' | 'deflate' | 'br'> {
  const named = (header ?? '').toLowerCase().split(',', CODINGS_MAX + 1);
  const codings = named.map((coding) => coding.trim().replace(/^x-gzip$/, 'gzip'));
  const kept = codings.filter((coding) => coding !== '' && coding !== 'identity');
  for (const coding of kept)
    if (kept.length > CODINGS_MAX || (coding !== 'gzip' && coding !== 'deflate' && coding !== 'br'))
      throw new DoorError('http', `content-encoding ${JSON.stringify(coding.slice(0, 40))} is not known`, { status });
  return kept as Array<'gzip' | 'deflate' | 'br'>;
}

/** Does it begin as zlib's format does (RFC 1950 2.2)? Some servers mean the bare one by `deflate`. */
export const isZlib = (body: Buffer): boolean =>
  body.length > 1 && (body[0]! & 15) === 8 && body.readUInt16BE(0) % 31 === 0;

const inflated = (body: Buffer, options: { maxOutputLength: number }): Buffer =>
  isZlib(body) ? inflateSync(body, options) : inflateRawSync(body, options);

const OPEN = { gzip: gunzipSync, deflate: inflated, br: brotliDecompressSync };

/**
 * The body without its content codings; one of no bytes is empty whatever the header says of it.
 * @throws DoorError `too-large` past `bytesMax`, `http` where it isn't what the header says
 */
export function decompressed(body: Buffer, header: string | undefined, status: number, bytesMax: number): Buffer {
  let open = body;
  for (const coding of body.length === 0 ? [] : codingsOf(header, status).reverse()) {
    try {
      open = OPEN[coding](open, { maxOutputLength: bytesMax });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw new DoorError('too-large', `more than ${bytesMax} bytes once decompressed`, { status });
      throw new DoorError('http', `body is not ${coding}`, { status, cause: error });
    }
  }
  return open;
}

/** The text of a body. @throws DoorError `charset`, naming what said so and why it can't be read */
export function textOf(body: Buffer, contentType: string, status: number): string {
  try {
    return decodeText(body, contentType);
  } catch (cause) {
    throw new DoorError('charset', (cause as Error).message, { status, cause });
  }
}
