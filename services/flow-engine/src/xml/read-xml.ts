/**
 * Reads text as one well-formed, bounded XML element. fast-xml-parser as delivered accepts more than XML and decodes
 * less, so this refuses first: a DOCTYPE, unknown entities, two roots, more than 64 KiB, 32 levels or 2,000 elements.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Element, Fault, ReadXml } from '../domain/language/element.ts';

export const DOCUMENT_BYTES_MAX = 65_536;
const LEVELS_MAX = 32;
const ELEMENTS_MAX = 2_000;
const ATTRIBUTES_MAX = 100;

class Unreadable extends Error {
  readonly index: number;
  constructor(index: number, reason: string) {
    super(reason);
    this.index = index;
  }
}

const CDATA = '#cdata';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  attributesGroupName: false,
  allowBooleanAttributes: false,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  cdataPropName: CDATA,
  captureMetaData: true,
  maxNestedTags: LEVELS_MAX + 1,
});
const META = XMLParser.getMetaDataSymbol() as unknown as symbol;

/** See `ReadXml`; line and column are 1-based and count characters. */
export const readXml: ReadXml = (xml) => {
  if (Buffer.byteLength(xml) > DOCUMENT_BYTES_MAX) return fault(xml, 0, 'the document is larger than 64 KiB');
  const text = xml.replace(/^\uFEFF/, '').trimStart();
  const dropped = xml.length - text.length;
  if (text.trim() === '') return fault(xml, 0, 'the document is empty');
  if (text[0] !== '<') return fault(xml, dropped, 'this is not XML: it begins with other text');
  try {
    refuseOutsideXml(text);
    const valid = XMLValidator.validate(text, { allowBooleanAttributes: false });
    if (valid !== true)
      return {
        ok: false,
        reason: readable(valid.err.msg),
        ...shift(xml, dropped, valid.err.line || 1, valid.err.col || 1),
      };
    const count = { left: ELEMENTS_MAX };
    const places = placesOf(xml);
    const roots = children(parser.parse(text) as Raw[], (index) => places(dropped + index), 1, count);
    if (roots.text.trim() !== '') throw new Unreadable(0, 'there is text outside the root element');
    if (roots.elements.length !== 1) throw new Unreadable(text.length - 1, 'a document has exactly one root element');
    return { ok: true, root: roots.elements[0]! };
  } catch (error) {
    if (error instanceof Unreadable) return fault(xml, dropped + error.index, error.message);
    // The library throws plain errors for what its validator let pass; whatever they are, the document is not XML.
    return fault(xml, dropped, readable(error instanceof Error ? error.message : 'unreadable'));
  }
};

const readable = (message: string) => `not well-formed XML: ${message.replace(/\s+/g, ' ').slice(0, 200)}`;

function shift(xml: string, dropped: number, line: number, column: number): { line: number; column: number } {
  const before = placeOf(xml, dropped);
  return { line: before.line + line - 1, column: line === 1 ? before.column + column - 1 : column };
}

/** Line and column of an index of a text. For many indexes of one text `placesOf` is for. */
const placeOf = (xml: string, index: number) => placesOf(xml)(index);

/** Looks up line and column of any index; the text is scanned once. */
function placesOf(xml: string): (index: number) => { line: number; column: number } {
  const starts = [0];
  for (let at = xml.indexOf('\n'); at >= 0; at = xml.indexOf('\n', at + 1)) starts.push(at + 1);
  return (index) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: index - starts[low]! + 1 };
  };
}

const fault = (xml: string, index: number, reason: string): Fault => ({ ok: false, reason, ...placeOf(xml, index) });

/** What the library would let pass: document types, depth, unclosed tags, characters that XML has not. */
function refuseOutsideXml(text: string): void {
  const doctype = text.search(/<!(?!--|\[CDATA\[)/);
  if (doctype >= 0) throw new Unreadable(doctype, 'document types and entity declarations are not allowed');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are what XML 1.0 (2.2) forbids
  const control = text.search(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/);
  if (control >= 0) throw new Unreadable(control, 'the document holds a character that XML does not allow');
  checkBalance(text);
}

const MARKUP =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<\/\s*([^\s>]*)\s*>|<([^\s/>"'=<]+)((?:[^<>"']|"[^"<]*"|'[^'<]*')*?)(\/?)>|</g;

/** Every tag opened is closed by its own name, within the allowed depth. */
function checkBalance(text: string): void {
  const open: Array<{ name: string; index: number }> = [];
  let roots = 0;
  let seen = 0;
  for (const match of text.matchAll(MARKUP)) {
    const [whole, closes, opens, , selfCloses] = match;
    if (whole === '<') throw new Unreadable(match.index, 'not well-formed XML: a "<" begins no tag; write &lt;');
    if (closes !== undefined) {
      const last = open.pop();
      if (last?.name !== closes)
        throw new Unreadable(
          match.index,
          last
            ? `not well-formed XML: </${closes}> closes <${last.name}>`
            : `not well-formed XML: </${closes}> was never opened`,
        );
    } else if (opens !== undefined) {
      if (++seen > ELEMENTS_MAX)
        throw new Unreadable(match.index, `the document has more than ${ELEMENTS_MAX} elements`);
      if (open.length === 0 && ++roots > 1)
        throw new Unreadable(match.index, 'a document has exactly one root element');
      if (open.length >= LEVELS_MAX)
        throw new Unreadable(match.index, `the document nests deeper than ${LEVELS_MAX} levels`);
      if (!selfCloses) open.push({ name: opens, index: match.index });
    }
  }
  const last = open.at(-1);
  if (last) throw new Unreadable(last.index, `not well-formed XML: <${last.name}> is never closed`);
}

type Raw = { [name: string]: unknown; ':@'?: Record<string, string> };

function children(
  raw: Raw[],
  place: (index: number) => { line: number; column: number },
  level: number,
  count: { left: number },
): { elements: Element[]; text: string } {
  const elements: Element[] = [];
  let content = '';
  for (const node of raw) {
    const name = Object.keys(node).find((key) => key !== ':@');
    if (name === undefined) continue;
    const start = (node as Record<symbol, { startIndex?: number } | undefined>)[META]?.startIndex ?? 0;
    if (name === '#text') {
      content += decode(String(node[name]), 0);
      continue;
    }
    if (name === CDATA) {
      // What stands in CDATA is what it says: nothing in it is decoded.
      content += (node[name] as Raw[]).map((part) => String(part['#text'] ?? '')).join('');
      continue;
    }
    if (count.left-- <= 0) throw new Unreadable(start, `the document has more than ${ELEMENTS_MAX} elements`);
    const inner = children(node[name] as Raw[], place, level + 1, count);
    elements.push({
      name,
      attributes: attributesOf(node, start),
      text: inner.text.trim(),
      children: inner.elements,
      ...place(start),
    });
  }
  return { elements, text: content };
}

function attributesOf(node: Raw, start: number): Record<string, string> {
  const raw = Object.entries(node[':@'] ?? {});
  if (raw.length > ATTRIBUTES_MAX) throw new Unreadable(start, `an element has more than ${ATTRIBUTES_MAX} attributes`);
  const attributes: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of raw) attributes[name] = decode(value, start);
  return { ...attributes };
}

const PREDEFINED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The five predefined entities and numeric references, decoded once. @throws Unreadable for any other */
function decode(value: string, index: number): string {
  if (!value.includes('&')) return value;
  return value.replace(/&(#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|[^;&\s]{0,32};?)?;?/g, (whole, name: string | undefined) => {
    const body = (name ?? '').replace(/;$/, '');
    if (!whole.endsWith(';') || body === '')
      throw new Unreadable(index, 'not well-formed XML: an "&" begins no entity; write &amp;');
    if (body[0] !== '#') {
      if (!Object.hasOwn(PREDEFINED, body)) throw new Unreadable(index, `the entity &${body}; is not allowed`);
      return PREDEFINED[body]!;
    }
    const point = body[1] === 'x' ? Number.parseInt(body.slice(2), 16) : Number.parseInt(body.slice(1), 10);
    const allowed =
      point === 9 ||
      point === 10 ||
      point === 13 ||
      (point >= 0x20 &&
        point <= 0x10ffff &&
        !(point >= 0xd800 && point <= 0xdfff) &&
        point !== 0xfffe &&
        point !== 0xffff);
    if (!allowed) throw new Unreadable(index, `the reference ${whole} is no character of XML`);
    return String.fromCodePoint(point);
  });
}
