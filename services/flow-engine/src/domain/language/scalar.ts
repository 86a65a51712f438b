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

const plain = (value: string | number | boolean) =>
  String(value)
    .trim()
    .replace(/^\+(?=\d)/, '');

/** Bounds of the variables of one call. */
const VARIABLES_MAX = 100;
const VALUE_MAX = 1_024;
const NAME = /^[A-Za-z_][\w.-]{0,127}$/;

/** The variables with some more, as far as a call may have them: 100, of 1,024 characters each, under names like `order.id`. */
export function withVariables(before: Variables, more: Variables): Variables {
  const next = { ...before };
  for (const [name, value] of Object.entries(more)) {
    if (!NAME.test(name) || (typeof value === 'string' && value.length > VALUE_MAX)) continue;
    if (name in next || Object.keys(next).length < VARIABLES_MAX) next[name] = value;
  }
  return next;
}
