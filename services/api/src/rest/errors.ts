/** What the REST API says where it refuses: a status, a sentence, and for bad input each field with its fault. */
import type { FastifyError, FastifyInstance } from 'fastify';

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
  http.setErrorHandler((error: FastifyError | RestError, _request, reply) => {
    if (error instanceof RestError) {
      if (error.status === 429) reply.header('retry-after', '60');
      return reply.code(error.status).send(envelope(error.status, error.message, error.fields));
    }
    if (error.validation) return reply.code(400).send(envelope(400, 'some parameters are wrong', fieldsOf(error)));
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) return reply.code(status).send(envelope(status, error.message));
    told(error);
    return reply.code(500).send(envelope(500, 'internal error'));
  });
  http.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(envelope(404, `no such resource: ${request.method} ${request.url.split('?')[0]!.slice(0, VALUE_MAX)}`)),
  );
}

const envelope = (status: number, message: string, fields?: Fields) => ({
  success: false,
  message,
  status,
  ...(fields && { fields }),
});

function fieldsOf({ validation = [], validationContext = 'body' }: FastifyError): Fields {
  const place = validationContext === 'querystring' ? 'query' : validationContext;
  return Object.fromEntries(
    validation.map(({ instancePath, message = 'is wrong', params }) => {
      const missing = (params as { requiredProperties?: string[]; missingProperty?: string }).missingProperty;
      const path = [place, ...instancePath.split('/').filter(Boolean), ...(missing ? [missing] : [])].join('.');
      return [path, { message: missing ? 'is missing' : message }];
    }),
  );
}
