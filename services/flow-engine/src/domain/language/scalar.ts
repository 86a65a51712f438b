/** Values of Meta variables: typed by how they are written (reference section 4.17), compared by what they mean. */
import type { Scalar, Variables } from './verb.ts';

/** `true` and `false`, whole and decimal numbers, `null`; anything else is text, and so is a number with a leading zero. */
export function scalarOf(text: string): Scalar {
  const word = text.trim();
  if (/^true$/i.test(word)) return true;
  if (/^false$/i.test(word)) return false;
  if (/^null$/i.test(word)) return null;
  if (/^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(word)) return Number(word);
  return text;
}

/** Are they the same? A number is the same with a plus before it or as text, as callers' numbers are written. */
export function isSame(a: Scalar, b: Scalar): boolean {
  if (a === null || b === null) return a === b;
  return plain(a) === plain(b);
}

/** Text is read as a document's would be, so that what came as JSON is told like what was written. */
function plain(value: string | number | boolean): string {
  const text = String(value)
    .trim()
    .replace(/^\+(?=\d)/, '');
  return String(scalarOf(text));
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
  const next = new Map(Object.entries(before));
  const sizeOf = (name: string, value: Scalar) => name.length + String(value).length;
  let size = [...next].reduce((sum, [name, value]) => sum + sizeOf(name, value), 0);
  for (const [name, value] of Object.entries(more)) {
    if (!NAME.test(name) || (typeof value === 'string' && value.length > VALUE_MAX)) continue;
    const old = next.get(name);
    const grown = size + sizeOf(name, value) - (old === undefined ? 0 : sizeOf(name, old));
    if (grown > ALL_MAX || (old === undefined && next.size >= VARIABLES_MAX)) continue;
    next.set(name, value);
    size = grown;
  }
  return Object.fromEntries(next);
}
