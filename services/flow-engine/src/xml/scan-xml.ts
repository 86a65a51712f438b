/**
 * Is this text one well-formed, bounded XML element? One pass, each character looked at a bounded number of times, so
 * that whoever sends a document can't make it cost more than its length (XML 1.0; the bounds are of contracts.md).
 * It refuses document types, entity declarations, and what is not well-formed; it builds nothing.
 */
import { short } from '../domain/language/attributes.ts';

export const LEVELS_MAX = 32;
export const ELEMENTS_MAX = 2_000;
export const ATTRIBUTES_MAX = 100;

/** Where a text is no document, and why. `index` counts UTF-16 units of the text. */
export class Unreadable extends Error {
  readonly index: number;
  constructor(index: number, reason: string) {
    super(reason);
    this.index = index;
  }
}

type Open = { name: string; index: number };
type Scan = { text: string; open: Open[]; roots: number; elements: number };

/** @throws Unreadable at the first place where the text stops being a document */
export function scanXml(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are what XML 1.0 (2.2) forbids
  const control = text.search(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/);
  if (control >= 0) throw new Unreadable(control, 'the document holds a character that XML does not allow');
  const scan: Scan = { text, open: [], roots: 0, elements: 0 };
  for (let at = 0; at < text.length; ) at = token(scan, at);
  const last = scan.open.at(-1);
  if (last) throw malformed(last.index, `<${short(last.name)}> is never closed`);
  if (scan.roots === 0) throw new Unreadable(Math.max(0, text.length - 1), 'a document has exactly one root element');
}

const malformed = (index: number, reason: string) => new Unreadable(index, `not well-formed XML: ${reason}`);

/** Passes over one piece of text, tag, comment, CDATA section or processing instruction. @returns where the next begins */
function token(scan: Scan, at: number): number {
  const { text } = scan;
  if (text[at] !== '<') return characters(scan, at);
  if (text.startsWith('<!--', at)) return comment(text, at);
  if (text.startsWith('<![CDATA[', at)) return cdata(scan, at);
  if (text[at + 1] === '!') throw new Unreadable(at, 'document types and entity declarations are not allowed');
  if (text[at + 1] === '?') return behind(text, '?>', at + 2, at, 'a processing instruction is never closed');
  return text[at + 1] === '/' ? closingTag(scan, at) : openingTag(scan, at);
}

/** @returns the index behind the next `end` from `from` on */
function behind(text: string, end: string, from: number, at: number, reason: string): number {
  const found = text.indexOf(end, from);
  if (found < 0) throw malformed(at, reason);
  return found + end.length;
}

function characters({ text, open }: Scan, at: number): number {
  const found = text.indexOf('<', at);
  const end = found < 0 ? text.length : found;
  if (open.length > 0) return end;
  for (let i = at; i < end; i++)
    if (!isBlank(text.charCodeAt(i))) throw new Unreadable(i, 'there is text outside the root element');
  return end;
}

/** Two hyphens end a comment and nothing else (XML 1.0, 2.5). */
function comment(text: string, at: number): number {
  const end = behind(text, '--', at + 4, at, 'a comment is never closed');
  if (text[end] !== '>') throw malformed(end - 2, 'a comment holds "--"');
  return end + 1;
}

function cdata({ text, open }: Scan, at: number): number {
  if (open.length === 0) throw new Unreadable(at, 'there is text outside the root element');
  return behind(text, ']]>', at + 9, at, 'a CDATA section is never closed');
}

function closingTag({ text, open }: Scan, at: number): number {
  const nameEnd = endOfName(text, at + 2);
  const name = text.slice(at + 2, nameEnd);
  const end = behindBlanks(text, nameEnd);
  if (text[end] !== '>' || name === '')
    throw malformed(at, name === '' ? '"</" begins no closing tag' : `the closing tag of <${short(name)}> holds more`);
  const last = open.pop();
  if (!last) throw malformed(at, `</${short(name)}> was never opened`);
  if (last.name !== name) throw malformed(at, `</${short(name)}> closes <${short(last.name)}>`);
  return end + 1;
}

function openingTag(scan: Scan, at: number): number {
  const { text, open } = scan;
  const nameEnd = endOfName(text, at + 1);
  if (nameEnd === at + 1) throw malformed(at, 'a "<" begins no tag; write &lt;');
  const name = text.slice(at + 1, nameEnd);
  if (!NAME.test(name)) throw malformed(at, `<${short(name)}> is no name of an element`);
  if (++scan.elements > ELEMENTS_MAX) throw new Unreadable(at, `the document has more than ${ELEMENTS_MAX} elements`);
  if (open.length === 0 && ++scan.roots > 1) throw new Unreadable(at, 'a document has exactly one root element');
  if (open.length >= LEVELS_MAX) throw new Unreadable(at, `the document nests deeper than ${LEVELS_MAX} levels`);
  const end = attributes(text, short(name), at, nameEnd);
  if (text[end] === '>') open.push({ name, index: at });
  else if (text[end + 1] !== '>') throw malformed(end, `a "/" in <${short(name)}> ends no tag`);
  return text[end] === '>' ? end + 1 : end + 2;
}

/** Passes over the attributes of a tag. @returns where its ">" or "/" stands */
function attributes(text: string, element: string, tag: number, from: number): number {
  const names = new Set<string>();
  for (let at = from; ; ) {
    const start = behindBlanks(text, at);
    if (start >= text.length) throw malformed(tag, `<${element}> is never closed: its tag has no ">"`);
    if (text[start] === '>' || text[start] === '/') return start;
    if (start === at) throw malformed(start, `a blank is missing before an attribute of <${element}>`);
    const nameEnd = endOfName(text, start);
    const name = text.slice(start, nameEnd);
    if (!NAME.test(name)) throw malformed(start, `<${element}> holds what is no name of an attribute`);
    if (names.has(name)) throw malformed(start, `<${element}> has the attribute ${short(name)} twice`);
    if (names.add(name).size > ATTRIBUTES_MAX)
      throw new Unreadable(tag, `an element has more than ${ATTRIBUTES_MAX} attributes`);
    at = attributeValue(text, element, short(name), nameEnd);
  }
}

/** Passes over `="value"`. @returns where it ends */
function attributeValue(text: string, element: string, name: string, from: number): number {
  const equals = behindBlanks(text, from);
  const open = behindBlanks(text, equals + 1);
  const quote = text[open];
  if (text[equals] !== '=' || (quote !== '"' && quote !== "'"))
    throw malformed(from, `the attribute ${name} of <${element}> has no value in quotes`);
  const end = text.indexOf(quote, open + 1);
  if (end < 0) throw malformed(open, `the value of ${name} in <${element}> is never closed`);
  if (text.slice(open, end).includes('<')) throw malformed(open, `the value of ${name} holds a "<"; write &lt;`);
  return end + 1;
}

/** Productions 4 and 4a of XML 1.0; one class after the other, so that it can't go back. */
const NAME = /^[:A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u{EFFFF}][-.:\w\u00B7-\u{EFFFF}]*$/u;

/** Blanks of XML 1.0 (2.3): blank, tab, line feed, carriage return. */
const isBlank = (code: number) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

function behindBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** A name ends at a blank or at what belongs to the markup. */
function endOfName(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) if (isBlank(text.charCodeAt(at)) || MARKUP.has(text[at]!)) return at;
  return at;
}

const MARKUP: ReadonlySet<string> = new Set(['<', '>', '/', '=', '"', "'"]);
