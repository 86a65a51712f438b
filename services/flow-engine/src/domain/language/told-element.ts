/**
 * A verb as customers are told of it when it ended (`element` of `call_flow`, reference 3.6): its name, its attributes in
 * snake_case with their defaults, and the blocks in it. The headers and the body of a request are left out, and who logs in
 * at an address: they may be secrets.
 */
import type { Branch, Target, Variables, Verb } from './verb.ts';

/** Characters of JSON. An element with larger blocks is told without them, one with larger attributes by its name. */
const ELEMENT_MAX = 1_024;
/** A text is told by its beginning. */
const TEXT_MAX = 200;

/** JSON of an object. */
export function toldElement(verb: Verb): string {
  const whole = elementOf(verb, true);
  for (const told of [whole, elementOf(verb, false)]) {
    const text = JSON.stringify(told);
    if (text.length <= ELEMENT_MAX) return text;
  }
  return JSON.stringify({ name: verb.name });
}

/** Told elsewhere in the event, or not at all. */
const UNTOLD: ReadonlySet<string> = new Set(['name', 'index', 'tag', 'headers']);
const isUntold = (field: string, value: unknown) =>
  value === undefined || UNTOLD.has(field) || (field === 'body' && typeof value === 'string');
/** Fields of verbs that hold blocks or lists, by the name that they are told under. */
const BLOCKS: Readonly<Record<string, string>> = {
  targets: 'To',
  branches: 'Case',
  prompts: 'children',
  verbs: 'children',
  default: 'Default',
  error: 'Error',
  meta: 'Meta',
};

function elementOf(verb: Verb, withBlocks: boolean): Record<string, unknown> {
  const told: Record<string, unknown> = { name: verb.name };
  for (const [field, value] of Object.entries(verb)) {
    const block = BLOCKS[field];
    if (isUntold(field, value) || (block && !withBlocks)) continue;
    told[block ?? snake(field)] = block ? blockOf(field, value) : plain(value);
  }
  return told;
}

function blockOf(field: string, value: unknown): unknown {
  // Variables keep their names.
  if (field === 'meta')
    return Object.fromEntries(Object.entries(value as Variables).map(([name, set]) => [name, plain(set)]));
  if (field === 'targets') return (value as Target[]).map(({ uri }) => plain(uri));
  if (field !== 'branches') return (value as Verb[]).map((verb) => elementOf(verb, true));
  return (value as Branch[]).map(({ digits, verbs }) => ({
    dtmf: digits,
    children: verbs.map((verb) => elementOf(verb, true)),
  }));
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What a log-in stands behind (RFC 3986 3.2.1). URL parsers take a backslash for a slash, and one or none for two. */
const BEFORE_LOGIN = /(?:[/\\]{2}|https?:[/\\])$/i;
const ENDS_AUTHORITY = /[/\\?#]/;
/** A SIP address's user and password (RFC 3261 19.1.1). The user is who is called: only the password is left out. */
const PASSWORD = /(sips?:[^:\s<>]*):.*$/is;

/** Each part before an `@` is looked at once: the time is linear. */
function withoutLogin(text: string): string {
  const parts = text.split('@');
  const last = parts.pop()!;
  let kept = '';
  let isLogin = false;
  for (const part of parts) {
    const start = loginStart(part, isLogin);
    const shown = start === undefined ? part.replace(PASSWORD, '$1') : part.slice(0, start);
    kept += start === undefined ? `${shown}@` : shown;
    isLogin = shown.length < part.length || start !== undefined;
  }
  return kept + last;
}

/** Where in the part before an `@` a log-in begins. @param goesOn the part before was of one */
function loginStart(part: string, goesOn: boolean): number | undefined {
  let start = part.length;
  while (start > 0 && !ENDS_AUTHORITY.test(part[start - 1]!)) start--;
  if (start === 0 && goesOn) return 0;
  if (BEFORE_LOGIN.test(part.slice(Math.max(0, start - 7), start))) return start;
  const scheme = /https?:/i.exec(part.slice(start));
  return scheme ? start + scheme.index + scheme[0].length : undefined;
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return withoutLogin(value).slice(0, TEXT_MAX).toWellFormed();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [snake(name), plain(part)]));
}
