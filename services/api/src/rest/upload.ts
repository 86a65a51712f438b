/** A file as the reference sends it: multipart, in the field `file`. It refuses none, and one that is too long. */

import { isUtf8 } from 'node:buffer';
import multipart from '@fastify/multipart';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { badInput, RestError } from './errors.ts';

const DOCUMENT_BYTES_MAX = 64 * 1024;

/** Routes of this plugin take files of so many bytes at most. */
export const takeFiles = (http: FastifyInstance, bytesMax: number) =>
  http.register(multipart, { limits: { files: 1, fields: 4, fileSize: bytesMax } });

/** Routes of this plugin take documents. */
export const takeDocuments = (http: FastifyInstance) => takeFiles(http, DOCUMENT_BYTES_MAX);

/** @throws RestError 400 where there is none, 413 where it is too long */
export async function fileOf(request: FastifyRequest): Promise<Buffer> {
  const file = await request.file().catch(unread);
  if (file?.fieldname !== 'file') throw badInput({ 'body.file': { message: 'is missing' } });
  return file.toBuffer().catch(unread);
}

/** @throws RestError 400, 413 */
export async function documentOf(request: FastifyRequest): Promise<string> {
  const bytes = await fileOf(request);
  if (!isUtf8(bytes) || bytes.includes(0)) throw badInput({ 'body.file': { message: 'must be text in UTF-8' } });
  return bytes.toString('utf8');
}

/** A form that ends in its middle has no status of its own. */
function unread(error: FastifyError): never {
  if (error.statusCode === 413) throw new RestError(413, 'the file is too long');
  if (error.statusCode) throw error;
  throw badInput({ body: { message: 'must be a whole multipart form' } });
}
