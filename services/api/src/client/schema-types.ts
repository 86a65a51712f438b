/** JSON schemas as TypeScript types: what TypeBox writes, and nothing else of JSON schema. */
import type { Schema } from '../reference/document.ts';

/** @throws Error for a schema that no type can be made of */
export function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)!;
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return schema.enum.map(literal).join(' | ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.allOf) return schema.allOf.map((part) => `(${typeOf(part)})`).join(' & ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `Array<${schema.items ? typeOf(schema.items) : 'unknown'}>`;
    case 'object':
      return objectOf(schema);
    case undefined:
      return 'unknown';
    default:
      throw new Error(`no type for ${JSON.stringify(schema).slice(0, 200)}`);
  }
}

const literal = (value: unknown) =>
  typeof value === 'string' ? `'${value.replace(/[\\']/g, '\\$&')}'` : String(value);
export const nameOf = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : literal(name));

function objectOf({ properties = {}, required = [], patternProperties, additionalProperties }: Schema): string {
  const named = Object.entries(properties).map(
    ([name, of]) => `${nameOf(name)}${required.includes(name) ? '' : '?'}: ${typeOf(of)}`,
  );
  const [any] = Object.values(patternProperties ?? {});
  const rest = any ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
  if (named.length === 0) return `Record<string, ${rest ? typeOf(rest) : 'unknown'}>`;
  return `{ ${named.join('; ')} }`;
}
