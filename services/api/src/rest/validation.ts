/**
 * How requests are read and judged: JSON bodies exactly as their schemas say (null is no empty text), the query, path and
 * headers with numbers as text; all faults at once. It refuses what no schema names, and text that no database keeps:
 * NUL and half characters.
 */
import { Ajv, type ErrorObject, type Options } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { type Schema, type Unknown, unknownIn } from './known.ts';

const OPTIONS: Options = { allErrors: true, verbose: true, useDefaults: true, addUsedSchema: false, strict: false };
/** Levels of a body. Deeper than what any route takes. */
const DEPTH_MAX = 20;
/** So many faults are told; a long list may have thousands. */
const FAULTS_MAX = 20;

function judge(options: Options): Ajv {
  const ajv = new Ajv({ ...OPTIONS, ...options });
  addFormats.default(ajv);
  // A date that no calendar or database knows is none: leap seconds, the year 0, the 30th of February.
  ajv.addFormat('date-time', isMoment);
  ajv.addFormat('date', isDay);
  return ajv;
}

/** PostgreSQL knows offsets below 16 hours. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-](0\d|1[0-5]):[0-5]\d)$/i;
const isMoment = (text: string) => MOMENT.test(text) && isDay(text.slice(0, 10)) && !Number.isNaN(Date.parse(text));

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDay(text: string): boolean {
  if (!/^(?!0000)\d{4}-\d\d-\d\d$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

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
      const isValid = !unkept && validate(given);
      const unknown =
        unkept || !isClosed(httpPart) ? [] : unknownIn(schema as Schema, given).filter(isNoCredential(httpPart));
      if (isValid && unknown.length === 0) return true;
      check.errors = unkept ? [unkept] : [...unknown.map(faultOf), ...(validate.errors ?? [])].slice(0, FAULTS_MAX);
      return false;
    };
    check.errors = [] as Fault[];
    return check;
  });
  readJson(http);
}

/** Headers are the business of many; a path has what its route names. */
const isClosed = (part: string | undefined) => part === 'body' || part === 'querystring';

/** Who asks may be said in the query of every route. */
const CREDENTIALS = ['jwt', 'bearer', 'google_token', 'facebook_token', 'ha1b'];
const isNoCredential =
  (part: string | undefined) =>
  ({ name }: Unknown) =>
    part !== 'querystring' || !CREDENTIALS.includes(name);

const faultOf = ({ path, name, nearest }: Unknown): Fault => ({
  instancePath: path,
  schemaPath: '',
  keyword: 'additionalProperties',
  message: `is unknown${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
  params: { additionalProperty: name },
});

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
