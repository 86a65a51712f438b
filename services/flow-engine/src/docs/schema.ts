/**
 * language.schema.json: the language as JSON Schema (2020-12), over a document's elements as plain data:
 * `{ name, attributes, text, children }`, names as they are canonically written, values as the document writes them.
 */
import type { AttributeRow } from '../domain/language/attributes.ts';
import type { SyntaxRow } from '../domain/language/syntax.ts';
import { EXAMPLES } from './examples.ts';

type Json = Record<string, unknown>;

/** The whole file. */
export function languageSchema(rows: readonly SyntaxRow[]): string {
  const verbs = rows.filter((row) => row.build).map(({ name }) => name);
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Opentact call flow language',
    $ref: '#/$defs/Response',
    $defs: {
      verb: { oneOf: verbs.map(reference) },
      Response: element({
        name: 'Response',
        meaning: 'A document.',
        attributes: [],
        children: ['verbs', 'Error'],
        text: false,
      }),
      ...Object.fromEntries(rows.map((row) => [row.name, element(row)])),
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const reference = (name: string) => ({ $ref: `#/$defs/${name}` });

function element(row: SyntaxRow): Json {
  const { name, aliases = [], meaning, attributes, children, text } = row;
  const required = attributes.filter((a) => a.required).map((a) => a.name);
  const admitted = [...new Set([...children, ...(row.build ? ['Meta'] : [])])];
  const items = admitted.map((child) => reference(child === 'verbs' ? 'verb' : child));
  return {
    description: meaning,
    type: 'object',
    properties: {
      name: { const: name },
      attributes: {
        type: 'object',
        properties: Object.fromEntries(attributes.map((a) => [a.name, attribute(a)])),
        ...(required.length > 0 && { required }),
      },
      text: text ? { type: 'string' } : { const: '' },
      children: { type: 'array', ...(items.length > 0 ? { items: { anyOf: items } } : { maxItems: 0 }) },
    },
    required: required.length > 0 ? ['name', 'attributes'] : ['name'],
    ...(aliases.length > 0 && { 'x-aliases': aliases }),
    ...(EXAMPLES[name] && { 'x-example': `<Response>${EXAMPLES[name]}</Response>` }),
  };
}

function attribute(row: AttributeRow): Json {
  const { aliases = [], meaning } = row;
  return {
    description: meaning,
    ...value(row),
    ...(row.default && { default: row.default }),
    ...(aliases.length > 0 && { 'x-aliases': aliases }),
  };
}

/** An attribute's value is text in the document; a whole number's bounds stand beside its pattern. */
function value(row: AttributeRow): Json {
  const anyCase = (values: readonly string[]) => values.map((v) => [...v].map(eitherCase).join('')).join('|');
  switch (row.kind) {
    case 'text':
      return { type: 'string', maxLength: row.max ?? 4096 };
    case 'integer':
      return { type: 'string', pattern: '^-?[0-9]{1,9}$', 'x-minimum': row.min, 'x-maximum': row.max };
    case 'boolean':
      return { type: 'string', pattern: `^(${anyCase(['true', 'false'])})$`, examples: ['true', 'false'] };
    case 'choice':
      return { type: 'string', pattern: `^(${anyCase(row.values)})$`, examples: row.values };
    case 'list':
      return {
        type: 'string',
        pattern: `^\\s*(${anyCase(row.values)})(\\s*,\\s*(${anyCase(row.values)}))*\\s*$`,
        examples: row.values,
      };
    case 'pattern':
      return { type: 'string', pattern: `^(?:${row.pattern})$`, 'x-shape': row.shape };
    case 'keys':
      return { type: 'string', pattern: '^[0-9*#+]*$', maxLength: row.max };
    case 'url':
      return { type: 'string', pattern: '^[hH][tT][tT][pP][sS]?://', format: 'uri', maxLength: 2048 };
  }
}

const eitherCase = (letter: string) =>
  letter.toLowerCase() === letter.toUpperCase()
    ? letter.replace(/[^\w]/, '\\$&')
    : `[${letter.toLowerCase()}${letter.toUpperCase()}]`;
