/**
 * How requests are read and judged: JSON bodies exactly as their schemas say (null is no empty text), the query, path and
 * headers with numbers as text; all faults at once. It refuses text that no database keeps: NUL and half characters.
 */
import { Ajv, type ErrorObject, type Options } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { keepKnown, type Schema } from './known.ts';

const OPTIONS: Options = { allErrors: true, verbose: true, useDefaults: true, addUsedSchema: false, strict: false };
/** Levels of a body. Deeper than what any route takes. */
const DEPTH_MAX = 20;
/** So many faults are told; a long list may have thousands. */
const FAULTS_MAX = 20;

function judge(options: Options): Ajv {
  const ajv = new Ajv({ ...OPTIONS, ...options });
  addFormats.default(ajv);
  // A date that no calendar or database knows is none: leap seconds, the year 0.
  ajv.addFormat('date-time', isMoment);
  return ajv;
}

const MOMENT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;
const isMoment = (text: string) => MOMENT.test(text) && !Number.isNaN(Date.parse(text));

/** To be called before the routes. */
export function validateRequests(http: FastifyInstance): void {
  const exactly = judge({});
  const asText = judge({ coerceTypes: 'array' });
  http.setValidatorCompiler(({ schema, httpPart }) => {
    const isBody = httpPart === 'body';
    const validate = (isBody ? exactly : asText).compile(schema as object);
    const check = (data: unknown): boolean => {
      const given = isBody ? (data ?? null) : data;
      const unkept = unkeptText(given, '', 0);
      if (!unkept && validate(given)) {
        if (isBody) keepKnown([schema as Schema], data);
        return true;
      }
      check.errors = unkept ? [unkept] : (validate.errors ?? []).slice(0, FAULTS_MAX);
      return false;
    };
    check.errors = [] as Fault[];
    return check;
  });
  readJson(http);
}

type Fault = Pick<ErrorObject, 'instancePath' | 'schemaPath' | 'keyword' | 'message' | 'params'>;

function readJson(http: FastifyInstance): void {
  const parse = http.getDefaultJsonParser('error', 'error');
  http.removeContentTypeParser(['application/json', 'text/plain']);
  http.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Clients send the type with empty bodies too.
    if (body === '') done(null, undefined);
    else parse(request, String(body), done);
  });
}

function unkeptText(value: unknown, path: string, depth: number): Fault | undefined {
  const fault = (message: string): Fault => ({
    instancePath: path,
    schemaPath: '',
    keyword: 'text',
    message,
    params: {},
  });
  if (typeof value === 'string') {
    if (value.includes('\0')) return fault('must not hold the character NUL');
    return value.isWellFormed() ? undefined : fault('must be well-formed Unicode');
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === DEPTH_MAX) return fault(`must not be nested deeper than ${DEPTH_MAX} levels`);
  for (const [key, of] of Object.entries(value)) {
    const found = unkeptText(key, path, depth) ?? unkeptText(of, `${path}/${key}`, depth + 1);
    if (found) return found;
  }
  return undefined;
}
