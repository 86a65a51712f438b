/** What happens to documents between a person and a platform: characters lost, doubled and strange, pieces moved. */
import type { Random } from '../random-document.ts';

const BYTES_MAX = 70_000;
const PIECES = [
  '<',
  '>',
  '</',
  '/>',
  '"',
  "'",
  '&',
  '&amp;',
  '&#x0;',
  '&#1114112;',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<?xml?>',
  '<!DOCTYPE a>',
  '\u0000',
  '\uFEFF',
  '\uD800',
  '😀',
  '\r\n',
  ' ',
  '=',
  '0',
  '-',
  '<Response>',
  '</Response>',
  '<Say>',
  '<Error/>',
  ' loop="0"',
  ' constructor="1"',
  ' __proto__="1"',
];

/** The text with some of it changed. */
export function mutated(random: Random, text: string, others: readonly string[]): string {
  let result = text;
  for (let n = 1 + random.below(5); n > 0; n--) result = once(random, result, others).slice(0, BYTES_MAX);
  return result;
}

function once(random: Random, text: string, others: readonly string[]): string {
  const [at, to] = [random.below(text.length + 1), random.below(text.length + 1)].sort((a, b) => a - b) as [
    number,
    number,
  ];
  const piece = text.slice(at, Math.min(to, at + 400));
  switch (random.below(9)) {
    case 0:
      return text.slice(0, at) + text.slice(at + piece.length);
    case 1:
      return text.slice(0, at) + piece + piece + text.slice(at + piece.length);
    case 2:
      return text.slice(0, at) + random.of(PIECES) + text.slice(at);
    case 3:
      return text.slice(0, at) + String.fromCharCode(random.below(0x10000)) + text.slice(at + 1);
    case 4:
      return text.replaceAll(/\d+/g, (digits) => (random.chance(0.1) ? String(random.below(1e9)) : digits));
    case 5:
      return withElement(random, text, others);
    case 6:
      return text.replaceAll(/"[^"]*"/g, (value) =>
        random.chance(0.1) ? `"${random.of(PIECES).replaceAll('"', '')}"` : value,
      );
    case 7:
      return random.chance(0.2)
        ? text.slice(0, at) + piece.repeat(random.below(60)) + text.slice(at)
        : text.toUpperCase();
    default:
      return text.slice(0, at) + random.of(others).slice(0, random.below(2_000)) + text.slice(to);
  }
}

/** An element of another document, put where one begins. */
function withElement(random: Random, text: string, others: readonly string[]): string {
  const elements = random.of(others).match(/<([A-Za-z]+)[^<>]*(?:\/>|>[^<]*<\/\1>)/g) ?? ['<Say>hello</Say>'];
  const places = [...text.matchAll(/<[A-Za-z]/g)].map(({ index }) => index);
  const at = places.length > 0 ? random.of(places) : 0;
  return text.slice(0, at) + random.of(elements) + text.slice(at);
}

/** Nothing that anybody meant. */
export function noise(random: Random): string {
  const length = random.below(random.chance(0.05) ? BYTES_MAX : 500);
  const kind = random.below(3);
  if (kind === 0) return Buffer.from(Array.from({ length }, () => random.below(256))).toString('latin1');
  if (kind === 1) return Array.from({ length: length >> 2 }, () => random.of(PIECES)).join('');
  return Array.from({ length }, () => String.fromCharCode(random.below(0x10000))).join('');
}
