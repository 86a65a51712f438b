/**
 * A recording's file as an answer: whole, a range of it, or only its headers (RFC 9110, sections 13 and 14). A name that
 * is no uuid is never looked for.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';

const RECORDING = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Where the recording of that uuid lies; undefined for any other name. */
export const recordingPath = (folder: string, uuid: string) =>
  RECORDING.test(uuid) ? join(folder, `${uuid}.wav`) : undefined;

/** @returns false where there is no such file: nothing was sent */
export async function sendRecording(
  path: string | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (!path || !found?.isFile()) return false;
  const { size, mtimeMs } = found;
  const tag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  reply.header('etag', tag).header('accept-ranges', 'bytes').header('cache-control', 'private');
  const known = request.headers['if-none-match'];
  if (known && (known === '*' || known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag))) {
    reply.code(304).send();
    return true;
  }
  const asked = request.headers['if-range'] === undefined || request.headers['if-range'] === tag;
  const range = asked ? rangeOf(request.headers.range, size) : undefined;
  if (range === 'none') {
    reply.code(416).header('content-range', `bytes */${size}`).send();
    return true;
  }
  const { from, to } = range ?? { from: 0, to: size - 1 };
  if (range) reply.code(206).header('content-range', `bytes ${from}-${to}/${size}`);
  reply.type('audio/wav').header('content-length', to - from + 1);
  reply.send(request.method === 'HEAD' || size === 0 ? undefined : createReadStream(path, { start: from, end: to }));
  return true;
}

/** One range; several, or what can't be read, are as good as none asked for. `none`: it lies behind the end. */
function rangeOf(header: string | undefined, size: number): { from: number; to: number } | 'none' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '')
    return Number(last) === 0 || size === 0 ? 'none' : { from: Math.max(0, size - Number(last)), to: size - 1 };
  const from = Number(first);
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < from) return undefined;
  return from >= size ? 'none' : { from, to };
}
