/** Numbering data by upload (reference 2.18): read as it comes, all of it or nothing; lines that are no exchange are told. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { CsvError, csvRecords } from '../../kernel/csv.ts';
import { mustBeOperator } from '../../rest/auth/roles.ts';
import { answers, ok } from '../../rest/envelope.ts';
import { badInput } from '../../rest/errors.ts';
import { operation } from '../../rest/operation.ts';
import { partOf, takeFiles } from '../../rest/upload.ts';
import { exchangesOf } from '../exchanges.ts';
import { saveExchanges } from '../save.ts';

const BYTES_MAX = 64 * 1024 * 1024;

const Uploaded = Type.Object({
  accepted: Type.Integer(),
  failed: Type.Integer(),
  total: Type.Integer(),
  errors: Type.Array(Type.Object({ line: Type.Integer(), reason: Type.String() }), {
    description: 'The first of them.',
  }),
});

export const lergUpload =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    await takeFiles(http, BYTES_MAX);
    const schema = {
      ...operation(
        'UploadDictLERG',
        'Administration',
        'Upload numbering data',
        'CSV with the columns npa, nxx, state, county; all of it is taken, or nothing. What is imported wins over the demo’s.',
      ),
      consumes: ['multipart/form-data'],
      response: answers(Uploaded, { failures: [403] }),
    };
    const limits = { bodyLimit: BYTES_MAX + 16 * 1024 };
    const preHandler = async ({ identity }: { identity: Parameters<typeof mustBeOperator>[0] }) =>
      mustBeOperator(identity);
    http.post('/dict/lerg', { schema, ...limits, preHandler }, async (request) => {
      const { file: stream } = await partOf(request);
      stream.setEncoding('utf8');
      async function* text(): AsyncGenerator<string> {
        try {
          yield* stream as AsyncIterable<string>;
        } catch {
          throw new CsvError('the upload ended before the file did');
        }
        // Cut off where the limit was: what came so far is not kept.
        if (stream.truncated) throw new CsvError(`the file is longer than ${BYTES_MAX} bytes`);
      }
      try {
        return ok(await saveExchanges(db, exchangesOf(csvRecords(text())), { replaceDemo: false }));
      } catch (error) {
        stream.resume();
        if (error instanceof CsvError) throw badInput({ 'body.file': { message: error.message } });
        throw error;
      }
    });
  };
