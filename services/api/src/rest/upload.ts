/** A call-flow document as the reference sends it: multipart, in the field `file`. */
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { badInput } from './errors.ts';

const DOCUMENT_BYTES_MAX = 64 * 1024;

/** Routes of this plugin take documents. */
export const takeDocuments = (http: FastifyInstance) =>
  http.register(multipart, { limits: { files: 1, fields: 4, fileSize: DOCUMENT_BYTES_MAX } });

/** @throws RestError 400 where there is none, or it is too long */
export async function documentOf(request: FastifyRequest): Promise<string> {
  const file = await request.file();
  if (file?.fieldname !== 'file') throw badInput({ 'body.file': { message: 'is missing' } });
  const bytes = await file.toBuffer().catch(() => undefined);
  if (!bytes) throw badInput({ 'body.file': { message: `is longer than ${DOCUMENT_BYTES_MAX} bytes` } });
  return bytes.toString('utf8');
}
