/** What the REST API says where it refuses: a status, a sentence, and for bad input each field with its fault. */
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { type Fault, fieldsOf } from './wording.ts';

/** By the path of the parameter, `body.email`: what is wrong, and the value that was given (never a secret's). */
export type Fields = { [path: string]: { message: string; value?: unknown } };

/** Thrown by a route; becomes the error envelope (reference 2.1). */
export class RestError extends Error {
  override name = 'RestError';
  readonly status: number;
  readonly fields: Fields | undefined;
  constructor(status: number, message: string, fields?: Fields) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

export const badInput = (fields: Fields) => new RestError(400, 'some parameters are wrong', fields);
export const notFound = (what: string) => new RestError(404, `no such ${what}`);

const VALUE_MAX = 200;

/** Every refusal in the envelope; a fault of ours as 500 without a word of its cause. */
export function answerErrors(http: FastifyInstance, told: (error: unknown) => void): void {
  http.setErrorHandler((error: FastifyError | RestError, request, reply) => {
    const refusal = refusalOf(error, request);
    if (!refusal) told(error);
    const { status, message, fields } = refusal ?? { status: 500, message: 'internal error' };
    if (status === 429) reply.header('retry-after', '60');
    return reply.code(status).send(envelope(status, message, fields));
  });
  http.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(envelope(404, `no such resource: ${request.method} ${request.url.split('?')[0]!.slice(0, VALUE_MAX)}`)),
  );
}

type Refusal = { status: number; message: string; fields?: Fields | undefined };

/** What was wrong with the request; undefined where it is a fault of ours. */
function refusalOf(error: FastifyError | RestError, request: FastifyRequest): Refusal | undefined {
  if (error instanceof RestError) return error;
  if (error.validation) {
    const { validationContext = 'body' } = error;
    const place = validationContext === 'querystring' ? 'query' : validationContext;
    return badInput(fieldsOf(place, error.validation as Fault[]));
  }
  const status = error.statusCode ?? 500;
  if (status === 406 || status === 415) {
    // 406 is what an upload's reader says of another type.
    const { consumes = ['application/json'] } = (request.routeOptions.schema ?? {}) as { consumes?: string[] };
    const given = request.headers['content-type']?.slice(0, VALUE_MAX) ?? 'a body without content-type';
    return { status: 415, message: `this takes ${consumes.join(' or ')}, not ${given}` };
  }
  if (status === 413) return { status, message: `the body is longer than ${request.routeOptions.bodyLimit} bytes` };
  return status >= 400 && status < 500 ? { status, message: error.message } : undefined;
}

/** A fault as it may stand in a log: the database names the row it is about, with all that is in it. */
export function withoutRow(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack } = error;
  return Object.assign(new Error(message), { name, stack, code: (error as { code?: unknown }).code });
}

/** The error envelope (reference 2.1). */
export const envelope = (status: number, message: string, fields?: Fields) => ({
  success: false,
  message,
  status,
  ...(fields && { fields }),
});
