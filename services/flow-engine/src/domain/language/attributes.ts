/**
 * The kinds of value an attribute may have, and the one reader of all attributes of an element.
 * Unknown attributes are warned of, wrong ones refused (contracts.md, "What the document language means", 10).
 */
import type { Element, Warning } from './element.ts';

export type AttributeKind =
  | { kind: 'text'; max?: number }
  | { kind: 'integer'; min: number; max: number }
  | { kind: 'boolean' }
  | { kind: 'choice'; values: readonly string[] }
  /** A comma list of such values. */
  | { kind: 'list'; values: readonly string[] }
  /** `pattern` is the source of a regular expression for the whole value; `shape` says it in words, with an example. */
  | { kind: 'pattern'; pattern: string; shape: string }
  | { kind: 'keys'; max: number }
  | { kind: 'url' };

/** A row of an element's attribute table: the parser, the linter and the documentation read the same row. */
export type AttributeRow = AttributeKind & {
  name: string;
  aliases?: readonly string[];
  /** Written in the document, the value that the absence of the attribute means. */
  default?: string;
  required?: boolean;
  meaning: string;
};

/** Thrown inside the parser only; `parseDocument` turns it into a fault with a place. */
export class Refusal extends Error {
  readonly element: Element;
  constructor(element: Element, reason: string) {
    super(reason);
    this.element = element;
  }
}

const DURATION_MAX = 86_400_000;
export const milliseconds = (min = 0, max = DURATION_MAX) => ({ kind: 'integer', min, max }) as const;

/** The values of one element, by canonical name. */
export class Attributes {
  readonly #values: Map<string, string>;
  readonly #given: Set<string>;
  readonly element: Element;
  constructor(element: Element, values: Map<string, string>, given: Set<string>) {
    this.element = element;
    this.#values = values;
    this.#given = given;
  }
  /** Did the document write it? (A default doesn't count.) */
  has(name: string): boolean {
    return this.#given.has(name);
  }
  text(name: string): string {
    return this.#values.get(name) ?? '';
  }
  integer(name: string): number {
    return Number(this.text(name));
  }
  boolean(name: string): boolean {
    return this.text(name).toLowerCase() === 'true';
  }
  /** The parts of a comma list, in lower case. */
  list(name: string): string[] {
    return partsOf(this.text(name)).map((part) => part.toLowerCase());
  }
}

const partsOf = (list: string) =>
  list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** What is wrong with a value, as the end of a sentence; undefined where nothing is. */
export function faultOf(row: AttributeKind, value: string): string | undefined {
  switch (row.kind) {
    case 'text':
      return value.length > (row.max ?? 4096) ? `is longer than ${row.max ?? 4096} characters` : undefined;
    case 'integer': {
      const number = /^-?\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
      return number >= row.min && number <= row.max
        ? undefined
        : `must be a whole number from ${row.min} to ${row.max}`;
    }
    case 'boolean':
      return /^(true|false)$/i.test(value) ? undefined : 'must be true or false';
    case 'choice':
      return row.values.some((v) => v.toLowerCase() === value.toLowerCase())
        ? undefined
        : `must be one of ${row.values.join(', ')}`;
    case 'list': {
      const wrong = partsOf(value).find((part) => !row.values.some((v) => v.toLowerCase() === part.toLowerCase()));
      if (partsOf(value).length === 0) return `must list some of ${row.values.join(', ')}`;
      return wrong === undefined ? undefined : `has ${JSON.stringify(wrong)}: it lists ${row.values.join(', ')}`;
    }
    case 'pattern':
      return new RegExp(`^(?:${row.pattern})$`).test(value) ? undefined : `must be ${row.shape}`;
    case 'keys':
      return /^[0-9*#+]*$/.test(value) && value.length <= row.max
        ? undefined
        : `must be keys of 0-9 * # (${row.max} at most)`;
    case 'url':
      return /^https?:\/\//i.test(value) && value.length <= 2048 && URL.canParse(value)
        ? undefined
        : 'must be an absolute http or https address of 2,048 characters at most';
  }
}

/** Reads an element's attributes against its rows; defaults filled in. @throws Refusal */
export function readAttributes(
  element: Element,
  rows: readonly AttributeRow[],
  warn: (w: Warning) => void,
): Attributes {
  const values = new Map<string, string>();
  const seen = new Map<string, string>();
  for (const [written, value] of Object.entries(element.attributes)) {
    const name = written.toLowerCase();
    const twin = seen.get(name);
    if (twin) throw new Refusal(element, `<${element.name}> has both ${twin} and ${written}: keep one`);
    seen.set(name, written);
    const row = rows.find((r) => [r.name, ...(r.aliases ?? [])].some((n) => n.toLowerCase() === name));
    if (!row) {
      const names = rows.map((r) => r.name);
      const near = nearest(written, names);
      const remedy = near ? `; did you mean ${near}?` : names.length > 0 ? `; it has ${names.join(', ')}` : '';
      warn({
        line: element.line,
        column: element.column,
        reason: `<${element.name}> has no attribute ${short(written)}${remedy}`,
      });
      continue;
    }
    const fault = faultOf(row, value.trim());
    if (fault) throw new Refusal(element, `${short(written)}="${value.slice(0, 40)}" of <${element.name}> ${fault}`);
    if (values.has(row.name))
      throw new Refusal(element, `<${element.name}> says ${row.name} twice (${short(written)})`);
    values.set(row.name, row.kind === 'text' ? value : value.trim());
  }
  for (const row of rows) {
    if (values.has(row.name)) continue;
    if (row.required) throw new Refusal(element, `<${element.name}> needs the attribute ${row.name}`);
  }
  const given = new Set(values.keys());
  for (const row of rows) if (row.default !== undefined && !given.has(row.name)) values.set(row.name, row.default);
  return new Attributes(element, values, given);
}

/** A name from a document, as a complaint quotes it. */
export const short = (name: string): string => (name.length > 40 ? `${name.slice(0, 40)}…` : name);

/** The nearest of some names within two edits; undefined where none is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = 3;
  for (const name of names) {
    if (Math.abs(word.length - name.length) >= least) continue; // so many edits at least, however long the word is
    const distance = edits(word.toLowerCase(), name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
