/** Values of Meta variables: typed by how they are written (reference section 4.17), compared by what they mean. */
import type { Digits, Scalar, Variables } from './verb.ts';

/** `true` and `false`, whole and decimal numbers, `null`; anything else is text, and so is a number with a leading zero. */
export function scalarOf(text: string): Scalar {
  const word = text.trim();
  if (/^true$/i.test(word)) return true;
  if (/^false$/i.test(word)) return false;
  if (/^null$/i.test(word)) return null;
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(word)) return numberOf(word);
  return text;
}

/** A number of JSON with the digits that it was written with. */
const numberOf = (source: string): number | Digits =>
  String(Number(source)) === source ? Number(source) : { digits: source };

const isDigits = (value: unknown): value is Digits => typeof value === 'object' && value !== null && 'digits' in value;

/** The value as text: in a query, and where it is compared. */
export const textOf = (value: Scalar): string => (isDigits(value) ? value.digits : String(value));

// Of ES2025 and Node 22, which the types don't know yet.
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): object };

/** The value as `JSON.stringify` takes it, digit for digit. */
export const jsonValueOf = (value: Scalar): unknown => (isDigits(value) ? rawJSON(value.digits) : value);

/** The variables as `JSON.stringify` takes them. */
export const jsonValuesOf = (variables: Variables): Record<string, unknown> =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, jsonValueOf(value)]));

/** A scalar as the story keeps it. @param json of a scalar; throws SyntaxError where it is none */
export function scalarOfJson(json: string): Scalar {
  const value = JSON.parse(json) as Scalar;
  return typeof value === 'number' ? numberOf(json.trim()) : value;
}

/** A string, or a mark, or a word of JSON; a string is read without going back. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

/**
 * The scalar members of a JSON object in their order, numbers digit for digit; none where the text is anything else.
 * JSON.parse alone reads numbers as doubles, and with a reviver it goes as deep as the text and fails at another depth
 * on another machine: so it judges the text, and one pass over its tokens finds the digits.
 */
export function scalarsOfJson(text: string): Array<[name: string, value: Scalar]> {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return [];
  const sources = sourcesIn(text);
  return Object.entries(found).flatMap(([name, value]): Array<[string, Scalar]> => {
    if (typeof value === 'number') return [[name, numberOf(sources.get(name) ?? String(value))]];
    return value === null || typeof value === 'string' || typeof value === 'boolean' ? [[name, value]] : [];
  });
}

/** How each member of an object that is no string, object or list is written. @param text JSON of an object */
function sourcesIn(text: string): Map<string, string> {
  const sources = new Map<string, string>();
  let depth = 0;
  let [name, before] = ['', ''];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && token[0] === '"' && before !== ':') name = JSON.parse(token) as string;
    else if (depth === 1 && before === ':') sources.set(name, token); // of two with one name the last counts, as in JSON.parse
    before = token;
  }
  return sources;
}

/** Are they the same? A number is the same with a plus before it or as text, as callers' numbers are written. */
export function isSame(a: Scalar, b: Scalar): boolean {
  if (a === null || b === null) return a === b;
  return plain(a) === plain(b);
}

/** Text is read as a document's would be, so that what came as JSON is told like what was written. */
function plain(value: Exclude<Scalar, null>): string {
  const text = textOf(value)
    .trim()
    .replace(/^\+(?=\d)/, '');
  const scalar = scalarOf(text);
  // 2.50 is 2.5, and 1e3 is 1000, where they are compared.
  if (isDigits(scalar)) return String(Number(scalar.digits));
  return isDigits(value) && /e/i.test(text) ? String(Number(text)) : String(scalar);
}

/** Bounds of the variables of one call. */
const VARIABLES_MAX = 100;
const VALUE_MAX = 1_024;
const ALL_MAX = 16_384;
const NAME = /^[A-Za-z_][\w.-]{0,127}$/;

/**
 * The variables with some more, as far as a call may have them: 100, of 1,024 characters each and 16,384 in all, under
 * names like `order.id`.
 */
export function withVariables(before: Variables, more: Variables): Variables {
  const isFull = Object.keys(before).length >= VARIABLES_MAX;
  const named = Object.entries(more).filter(
    ([name, value]) =>
      NAME.test(name) && textOf(value).length <= VALUE_MAX && !(isFull && !Object.hasOwn(before, name)),
  );
  if (named.length === 0) return before;
  const next = new Map(Object.entries(before));
  const sizeOf = (name: string, value: Scalar) => name.length + textOf(value).length;
  let size = [...next].reduce((sum, [name, value]) => sum + sizeOf(name, value), 0);
  for (const [name, value] of named) {
    const old = next.get(name);
    const grown = size + sizeOf(name, value) - (old === undefined ? 0 : sizeOf(name, old));
    if (grown > ALL_MAX || (old === undefined && next.size >= VARIABLES_MAX)) continue;
    next.set(name, value);
    size = grown;
  }
  return Object.fromEntries(next);
}
