/** Requests by chance from the OpenAPI document: right ones, and right ones with something broken. The same seed, the same ones. */
import type { Operation, Schema } from '../reference/document.ts';

export type Random = () => number;

/** mulberry32 */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TEXTS = [
  '',
  ' ',
  '0',
  'null',
  '*',
  '%',
  '_',
  '\\',
  'a\0b',
  '\ud800',
  'ab\udfff',
  '\u202etxt.exe',
  '\ufeff',
  'e\u0301\u0301\u0301',
  '👩‍👩‍👧‍👦',
  'ß'.repeat(300),
  'x'.repeat(5000),
  '9'.repeat(400),
  "'; drop table person; --",
  "' or 1=1 --",
  '$1',
  '%s%n',
  '../../../../etc/passwd',
  'a\r\nX-Evil: 1',
  '<Response><Hangup/></Response>',
  'http://127.0.0.1:1/',
  'sip:1@[::1]:99999',
  '2026-02-30T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '-000001-01-01T00:00:00Z',
  '2026-02-28T24:00:00+14:59',
  '1e308',
  '00000000-0000-0000-0000-000000000000',
  '12125550199',
  'constructor',
  '__proto__',
];
const NUMBERS = [
  0,
  -0,
  -1,
  1,
  0.1,
  -0.5,
  1e-320,
  1e21,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  2 ** 64,
  12125550199,
];

const pick = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
const between = (random: Random, from: number, to: number) => from + Math.floor(random() * (to - from + 1));

/** Anything at all. */
function anything(random: Random, depth = 0): unknown {
  switch (between(random, 0, depth > 3 ? 3 : 6)) {
    case 0:
      return pick(random, TEXTS);
    case 1:
      return pick(random, NUMBERS);
    case 2:
      return pick(random, [true, false]);
    case 3:
      return null;
    case 4:
      return Array.from({ length: pick(random, [0, 1, 2, 2000]) }, () => pick(random, NUMBERS));
    case 5:
      return Object.fromEntries([[pick(random, TEXTS), anything(random, depth + 1)]]);
    default: {
      let deep: unknown = 1;
      for (let level = pick(random, [5, 19, 21, 500]); level > 0; level--) deep = random() < 0.5 ? [deep] : { a: deep };
      return deep;
    }
  }
}

/** @param known uuids and numbers that there are, to be named sometimes. */
export function madeOf(schema: Schema, random: Random, known: readonly string[], broken: number): unknown {
  if (random() < broken) return anything(random);
  const inner = (of: Schema) => madeOf(of, random, known, broken);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return pick(random, schema.enum);
  if (schema.anyOf) return inner(pick(random, schema.anyOf));
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(inner));
  switch (schema.type) {
    case 'string':
      return textOf(schema, random, known);
    case 'integer':
    case 'number': {
      const { minimum = -10, maximum = 1e6 } = schema;
      return pick(random, [
        minimum,
        maximum,
        between(random, minimum, maximum),
        ...known.map(Number).filter(Number.isFinite),
      ]);
    }
    case 'boolean':
      return random() < 0.5;
    case 'null':
      return null;
    case 'array': {
      const { minItems = 0, maxItems = 3, items = {} } = schema;
      return Array.from({ length: between(random, minItems, Math.min(maxItems, minItems + 3)) }, () => inner(items));
    }
    default: {
      const { properties = {}, required = [] } = schema;
      const chosen = Object.entries(properties).filter(([name]) => required.includes(name) || random() < 0.4);
      const extra = random() < broken ? [[pick(random, TEXTS), anything(random)]] : [];
      const lost = random() < broken ? pick(random, required) : undefined;
      return Object.fromEntries([
        ...chosen.filter(([name]) => name !== lost).map(([name, of]) => [name, inner(of)]),
        ...extra,
      ]);
    }
  }
}

const DIGITS = '0123456789';

function textOf(
  { format, pattern, minLength = 0, maxLength = 40 }: Schema,
  random: Random,
  known: readonly string[],
): string {
  switch (format) {
    case 'uuid':
      return pick(random, [...known.filter((k) => k.length === 36), '00000000-0000-4000-8000-000000000000']);
    case 'email':
      return `a${between(random, 0, 1e9)}@example.test`;
    case 'date-time':
      return pick(random, [
        '2026-01-31T08:00:00.000Z',
        '9999-12-31T23:59:59Z',
        '0001-01-01T00:00:00Z',
        '2026-01-31T08:00:00+14:00',
      ]);
    case 'date':
      return pick(random, ['2000-02-29', '9999-12-31', '0001-01-01']);
  }
  const digits = Array.from({ length: between(random, 2, 11) }, () => pick(random, [...DIGITS])).join('');
  if (pattern) {
    const fitting = [
      ...known,
      ...TEXTS,
      digits,
      digits.slice(0, 3),
      digits.slice(0, 4),
      'US',
      'https://a.test/x',
      '*1%',
      'a-b',
      '1.2.3.4',
    ];
    const found = fitting.filter((text) => new RegExp(pattern, 'u').test(text));
    return found.length > 0 ? pick(random, found) : digits;
  }
  const text = pick(random, [...TEXTS.filter((t) => t.isWellFormed() && !t.includes('\0')), ...known, digits]);
  return text.slice(0, maxLength).padEnd(minLength, 'x');
}

export type RandomRequest = { path: string; headers: Record<string, string>; payload?: string };

/** @param path of the document, `/rest/user/{uuid}` */
export function randomRequest(
  path: string,
  operation: Operation,
  random: Random,
  known: readonly string[],
): RandomRequest {
  const broken = pick(random, [0, 0, 0.05, 0.3]);
  const headers: Record<string, string> = {};
  const query: string[] = [];
  let filled = path;
  const worded = (of: unknown) =>
    String(typeof of === 'object' ? JSON.stringify(of) : of)
      .toWellFormed()
      .slice(0, 300);
  for (const { in: place, name, required, schema } of operation.parameters ?? []) {
    if (!required && random() < 0.5) continue;
    const plain = place === 'path' && random() < 0.7 ? pick(random, known) : undefined;
    const text = worded(plain ?? madeOf(schema as Schema, random, known, broken));
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(text));
    else if (place === 'query') query.push(`${name}=${encodeURIComponent(text)}`);
    else headers[name] = text.replace(/[^ -~]/g, '?').trim();
  }
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const asked = { path: `${filled}${query.length > 0 ? `?${query.join('&')}` : ''}`, headers };
  if (!media || random() < 0.03) return asked;
  if (type === 'multipart/form-data') {
    headers['content-type'] = 'multipart/form-data; boundary=b';
    const content = pick(random, ['<Response/>', 'a,b,c\n1,2,3\n', 'x'.repeat(70_000), ...TEXTS]);
    const name = pick(random, ['file', 'file', 'file', 'other', 'a"b']);
    const end = pick(random, ['\r\n--b--\r\n', '\r\n--b--\r\n', '', '\r\n--b\r\n']);
    return {
      ...asked,
      payload: `--b\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n\r\n${content}${end}`,
    };
  }
  headers['content-type'] =
    random() < 0.03 ? pick(random, ['text/plain', 'text/xml', 'x', 'application/json; charset=x']) : type!;
  const body = JSON.stringify(madeOf(media.schema as Schema, random, known, broken)) ?? '';
  return { ...asked, payload: random() < 0.03 ? body.slice(0, body.length / 2) : body };
}
