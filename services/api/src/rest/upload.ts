/** A file as the reference sends it: multipart, in the field `file`. It refuses none, and one that is too long. */
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { badInput } from './errors.ts';

const DOCUMENT_BYTES_MAX = 64 * 1024;

/** Routes of this plugin take files of so many bytes at most. */
export const takeFiles = (http: FastifyInstance, bytesMax: number) =>
  http.register(multipart, { limits: { files: 1, fields: 4, fileSize: bytesMax } });

/** Routes of this plugin take documents. */
export const takeDocuments = (http: FastifyInstance) => takeFiles(http, DOCUMENT_BYTES_MAX);

/** @throws RestError 400 where there is none, or it is too long */
export async function fileOf(request: FastifyRequest): Promise<Buffer> {
  const file = await request.file();
  if (file?.fieldname !== 'file') throw badInput({ 'body.file': { message: 'is missing' } });
  const bytes = await file.toBuffer().catch(() => undefined);
  if (!bytes) throw badInput({ 'body.file': { message: 'is too long' } });
  return bytes;
}

/** @throws RestError 400 */
export const documentOf = async (request: FastifyRequest): Promise<string> => (await fileOf(request)).toString('utf8');
