/**
 * Reads text as one well-formed, bounded XML element. fast-xml-parser as delivered accepts more than XML and decodes
 * less, so `scan-xml.ts` refuses first, and the five entities and numeric references are decoded here, once. It refuses
 * more than 64 KiB and any other entity.
 */
import { XMLParser } from 'fast-xml-parser';
import type { Element, Fault, ReadXml } from '../domain/language/element.ts';
import { LEVELS_MAX, scanXml, Unreadable } from './scan-xml.ts';

export const DOCUMENT_BYTES_MAX = 65_536;

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
export const readXml: ReadXml = (given) => {
  if (Buffer.byteLength(given) > DOCUMENT_BYTES_MAX) return fault(given, 0, 'the document is larger than 64 KiB');
  const xml = given.replace(/\r\n?/g, '\n'); // the end of a line is one character, whoever wrote it (XML 1.0, 2.11)
  const text = xml.replace(/^\uFEFF/, '').trimStart();
  const dropped = xml.length - text.length;
  if (text === '') return fault(xml, 0, 'the document is empty');
  if (text[0] !== '<') return fault(xml, dropped, 'this is not XML: it begins with other text');
  try {
    scanXml(text);
    const places = placesOf(xml);
    const { elements } = children(parser.parse(text) as Raw[], (index) => places(dropped + index));
    return { ok: true, root: elements[0]! };
  } catch (error) {
    if (error instanceof Unreadable) return fault(xml, dropped + error.index, error.message);
    // The library throws plain errors for what the scan let pass; whatever they are, the document is not XML.
    return fault(xml, dropped, readable(error instanceof Error ? error.message : 'unreadable'));
  }
};

const readable = (message: string) => `not well-formed XML: ${message.replace(/\s+/g, ' ').slice(0, 200)}`;

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

const fault = (xml: string, index: number, reason: string): Fault => ({ ok: false, reason, ...placesOf(xml)(index) });

type Raw = { [name: string]: unknown; ':@'?: Record<string, string> };

function children(
  raw: Raw[],
  place: (index: number) => { line: number; column: number },
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
    const inner = children(node[name] as Raw[], place);
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
  const attributes: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of raw) attributes[name] = decode(value.replace(/[\t\n]/g, ' '), start); // XML 1.0, 3.3.3
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
