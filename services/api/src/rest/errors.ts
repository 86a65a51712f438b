/** What the REST API says where it refuses: a status, a sentence, and for bad input each field with its fault. */
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { databaseAway } from '../database/away.ts';
import { Refusal, type RefusalCode, type WrongFields } from '../kernel/refusal.ts';
import { learnMethods } from './methods.ts';
import { type Fault, type Fields, fieldsOf } from './wording.ts';

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

/** What a feature that knows no HTTP refuses, as a status. */
const STATUS: Record<RefusalCode, number> = {
  invalid: 400,
  unaffordable: 402,
  'not-found': 404,
  conflict: 409,
  busy: 429,
  unavailable: 503,
};

export const badInput = (fields: Fields) => new RestError(400, 'some parameters are wrong', fields);
export const notFound = (what: string) => new RestError(404, `no such ${what}`);

const FAULT: Answer = { status: 500, message: 'internal error' };
const AWAY: Answer = { status: 503, message: 'the database is away or has no time now; try again' };
/** It may have been done: whoever asks again by itself (Retry-After) might have it twice. */
const DOUBTFUL: Answer = {
  status: 503,
  message: 'the database broke off; it may have been done; look before you ask again',
};
/** What asked twice is done twice (RFC 9110 9.2.2). */
const NOT_IDEMPOTENT = new Set(['POST', 'PATCH']);
/** When to ask again, seconds. */
const WAIT_S: Record<number, number> = { 429: 60, 503: 2 };
const VALUE_MAX = 200;

/** Every refusal in the envelope; a fault of ours as 500 without a word of its cause. */
export function answerErrors(http: FastifyInstance, told: (error: unknown) => void): void {
  http.setErrorHandler((error: FastifyError | RestError | Refusal, request, reply) => {
    const answer = answerTo(error, request);
    if (!answer) told(error);
    const said = answer ?? faultOf(error, request.method);
    const { status, message, fields } = said;
    const waits = WAIT_S[status];
    if (waits !== undefined && said !== DOUBTFUL) reply.header('retry-after', String(waits));
    return reply.code(status).send(envelope(status, message, fields));
  });
  const methodsOf = learnMethods(http);
  http.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!;
    const methods = methodsOf(path);
    const shown = `${request.method} ${path.slice(0, VALUE_MAX)}`;
    if (methods.length === 0) return reply.code(404).send(envelope(404, `no such resource: ${shown}`));
    const allow = methods.join(', ');
    return reply
      .code(405)
      .header('allow', allow)
      .send(envelope(405, `no such method: ${shown}; there is ${allow}`));
  });
}

type Answer = { status: number; message: string; fields?: Fields | undefined };

function faultOf(error: Error, method: string): Answer {
  const away = databaseAway(error);
  if (!away) return FAULT;
  return away === 'unanswered' && NOT_IDEMPOTENT.has(method) ? DOUBTFUL : AWAY;
}

/** What was wrong with the request; undefined where it is a fault of ours. */
function answerTo(error: FastifyError | RestError | Refusal, request: FastifyRequest): Answer | undefined {
  if (error instanceof RestError) return error;
  if (error instanceof Refusal)
    return { status: STATUS[error.code], message: error.message, fields: error.fields && ofBody(error.fields) };
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

/** The fields that a feature names are those of the body that it was given. */
const ofBody = (fields: WrongFields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([field, wrong]) => [`body.${field}`, wrong]));

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
