/** A file as the reference sends it: multipart, in the field `file`. It refuses none, and one that is too long. */

import multipart, { type MultipartFile } from '@fastify/multipart';
import { decodeText } from '@opentact/runtime';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { badInput, RestError } from './errors.ts';

const DOCUMENT_BYTES_MAX = 64 * 1024;

/** Routes of this plugin take files of so many bytes at most. */
export const takeFiles = (http: FastifyInstance, bytesMax: number) =>
  http.register(multipart, { limits: { files: 1, fields: 4, fileSize: bytesMax } });

/** Routes of this plugin take documents. */
export const takeDocuments = (http: FastifyInstance) => takeFiles(http, DOCUMENT_BYTES_MAX);

/** The file as it comes. @throws RestError 400 where there is none, 413 where it is too long */
export async function partOf(request: FastifyRequest): Promise<MultipartFile> {
  const file = await request.file().catch(unread);
  if (file?.fieldname !== 'file') throw badInput({ 'body.file': { message: 'is missing' } });
  return file;
}

/** The whole file. @throws RestError 400 where there is none, 413 where it is too long */
export async function fileOf(request: FastifyRequest): Promise<Buffer> {
  const file = await partOf(request);
  return file.toBuffer().catch(unread);
}

/** Text in the encoding that its byte order mark or XML declaration names, else in UTF-8. @throws RestError 400, 413 */
export async function documentOf(request: FastifyRequest): Promise<string> {
  const bytes = await fileOf(request);
  const refused = (why: string) => badInput({ 'body.file': { message: `must be text: ${why}` } });
  let text: string;
  try {
    text = decodeText(bytes, '');
  } catch (error) {
    throw refused((error as Error).message);
  }
  if (text.includes('\0')) throw refused('it holds a NUL');
  if (Buffer.byteLength(text) > DOCUMENT_BYTES_MAX) throw new RestError(413, 'the file is too long as UTF-8');
  return text;
}

/** A form that ends in its middle has no status of its own. */
function unread(error: FastifyError): never {
  if (error.statusCode === 413) throw new RestError(413, 'the file is too long');
  if (error.statusCode) throw error;
  throw badInput({ body: { message: 'must be a whole multipart form' } });
}
