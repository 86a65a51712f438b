/** Where in the text an attribute stands. The reader of XML knows elements only; this looks into one start tag. */
import type { Element } from '../domain/language/element.ts';

/** Line and column of things in one text, 1-based. */
export function placesIn(xml: string) {
  const lines = xml.split('\n');
  return {
    /** Where the element begins, or its attribute where it has that one. */
    of(element: Element, attribute?: string): { line: number; column: number } {
      const { line, column } = element;
      return (attribute === undefined ? undefined : attributeAt(lines, element, attribute)) ?? { line, column };
    },
  };
}

const TAG_LINES_MAX = 200;

/** Walks over the start tag, past names and quoted values, until it meets the attribute's name. */
function attributeAt(lines: string[], element: Element, wanted: string): { line: number; column: number } | undefined {
  const parts = /"[^"]*"|'[^']*'|[^\s"'=<>/]+|\n|[\s\S]/g;
  const text = lines.slice(element.line - 1, element.line - 1 + TAG_LINES_MAX).join('\n');
  parts.lastIndex = element.column - 1;
  let line = element.line;
  let lineStart = 0;
  for (let part = parts.exec(text); part; part = parts.exec(text)) {
    const [word] = part;
    if (word === '>') return undefined;
    if (word === wanted && part.index > element.column + lineStart) return { line, column: part.index - lineStart + 1 };
    for (let at = word.indexOf('\n'); at >= 0; at = word.indexOf('\n', at + 1)) {
      line++;
      lineStart = part.index + at + 1;
    }
  }
  return undefined;
}
