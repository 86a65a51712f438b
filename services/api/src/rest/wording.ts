/** What is wrong with a request, in words for a person: each field with what it must be. It repeats no secret. */

/** By the path of the parameter, `body.email`: what is wrong, and the value that was given (never a secret's). */
export type Fields = { [path: string]: { message: string; value?: unknown } };

/** What a validator said of one place; as ajv says it with `verbose`. */
export type Fault = {
  instancePath: string;
  schemaPath: string;
  keyword: string;
  message?: string;
  params?: { missingProperty?: string; additionalProperty?: string };
  parentSchema?: Schema;
  data?: unknown;
};
type Schema = {
  type?: string;
  format?: string;
  pattern?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
};

const VALUE_MAX = 200;
const SECRET = /password|token|secret|jwt|ha1|key|bearer|authorization/i;
const FORMATS: Record<string, string> = {
  uuid: 'a UUID',
  email: 'an e-mail address',
  date: 'a date like 2026-01-31',
  'date-time': 'a moment like 2026-01-31T08:00:00.000Z',
  uri: 'an address like https://example.com/',
};

/** @param place `body`, `query`, `params` or `headers` */
export function fieldsOf(place: string, faults: readonly Fault[]): Fields {
  return Object.fromEntries(
    told(faults).map((fault) => {
      const { missingProperty, additionalProperty } = fault.params ?? {};
      const steps = fault.instancePath.split('/').filter(Boolean).map(unescaped);
      const last = (missingProperty ?? additionalProperty)?.slice(0, VALUE_MAX);
      const path = [place, ...steps, last].filter((s) => s !== undefined).join('.');
      if (missingProperty !== undefined) return [path, { message: 'is missing' }];
      if (additionalProperty !== undefined) return [path, { message: fault.message ?? 'is unknown' }];
      const message = fault.parentSchema ? `must be ${inWords(fault.parentSchema)}` : (fault.message ?? 'is wrong');
      return [path, { message, ...givenValue(path, fault.data) }];
    }),
  );
}

const unescaped = (step: string) => step.replaceAll('~1', '/').replaceAll('~0', '~');

function givenValue(path: string, value: unknown): { value?: unknown } {
  if (SECRET.test(path) || value === undefined || (typeof value === 'object' && value !== null)) return {};
  return { value: typeof value === 'string' ? value.slice(0, VALUE_MAX) : value };
}

/** Of the branches of a choice only the one that was meant, where that is plain; else the choice as a whole. */
function told(faults: readonly Fault[]): Fault[] {
  const dropped = new Set<Fault>();
  for (const choice of faults.filter(({ keyword }) => keyword === 'anyOf')) {
    const branches = choice.parentSchema?.anyOf ?? [];
    const fitting = branches.flatMap((branch, i) => (isOf(branch, choice.data) ? [i] : []));
    const isMeant = fitting.length === 1 && isObject(choice.data);
    if (isMeant) dropped.add(choice);
    for (const fault of faults)
      if (fault.schemaPath.startsWith(`${choice.schemaPath}/`))
        if (!isMeant || !fault.schemaPath.startsWith(`${choice.schemaPath}/${fitting[0]}/`)) dropped.add(fault);
  }
  return faults.filter((fault) => !dropped.has(fault));
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null;
const isOf = ({ type }: Schema, value: unknown) =>
  type === 'array' ? Array.isArray(value) : type === 'object' && isObject(value) && !Array.isArray(value);

/** What a value of a schema is, to follow “must be”. */
export function inWords(schema: Schema): string {
  if (schema.enum)
    return schema.enum.length === 1 ? literal(schema.enum[0]) : `one of ${schema.enum.map(literal).join(', ')}`;
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.anyOf) return anyOf(schema.anyOf);
  switch (schema.type) {
    case 'string':
      if (schema.format) return FORMATS[schema.format] ?? `a ${schema.format}`;
      return schema.pattern ? shaped(schema) : `text${counted(schema.minLength, schema.maxLength, 'character')}`;
    case 'integer':
      return `a whole number${ranged(schema)}`;
    case 'number':
      return `a number${ranged(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return `a list${counted(schema.minItems, schema.maxItems, 'item')}`;
    case 'null':
      return 'null';
    default:
      return `an object${counted(0, schema.maxProperties, 'field')}`;
  }
}

function anyOf(branches: Schema[]): string {
  const literals = branches.filter((branch) => branch.const !== undefined);
  const others = branches.filter((branch) => branch.const === undefined).map(inWords);
  const one =
    literals.length > 1 ? [`one of ${literals.map((l) => literal(l.const)).join(', ')}`] : literals.map(inWords);
  return [...new Set([...one, ...others])].join(' or ');
}

const literal = (value: unknown) => (typeof value === 'string' ? `“${value}”` : JSON.stringify(value));
const shaped = ({ description, pattern }: Schema) => `text like this: ${description ?? pattern}`;

function counted(from: number | undefined, to: number | undefined, what: string): string {
  if (!from && to === undefined) return '';
  const [least, most] = [from ?? 0, to];
  if (most === undefined) return ` of ${least} ${what}${least === 1 ? '' : 's'} or more`;
  return least === 0 ? ` of ${most} ${what}${most === 1 ? '' : 's'} at most` : ` of ${least} to ${most} ${what}s`;
}

function ranged({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, ${minimum} or more`;
  return maximum === undefined ? '' : `, ${maximum} at most`;
}
