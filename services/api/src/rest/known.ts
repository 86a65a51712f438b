/**
 * Finds what a request names and its schema doesn't: a name that is unknown is refused with its place and the nearest name
 * that there is, as what is dropped in silence is taken for done. What a schema says nothing about may hold anything.
 */
import { Type } from 'typebox';
import { nearestOf } from './nearest.ts';

export type Schema = {
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: unknown;
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  'x-without-effect'?: boolean;
};

/** A field that the reference names and its clients send: it is taken, and reaches no route. */
export const WithoutEffect = Type.Optional(
  Type.Unsafe<undefined>({
    description: 'Of the reference; taken, and nothing is done by it.',
    'x-without-effect': true,
  }),
);

/**
 * Of a field that is kept and shown, and changes nothing yet: options of its schema.
 * @param why what it waits for, or why nothing asks for it @param meaning what it will say
 */
export const storedOnly = (why: string, meaning = '') => ({
  description: `Stored; has no effect yet: ${why}.${meaning && ` ${meaning}`}`,
  'x-stored-only': why,
});

/** `path`: where the thing is that has it, `/items/0`; `nearest`: what was meant, if anything comes near. */
export type Unknown = { path: string; name: string; nearest: string | undefined };

/** Of so many the place is told. */
const UNKNOWN_MAX = 20;

/** Every part that the same value is held against. */
function partsOf(schema: Schema): Schema[] {
  return [schema, ...[...(schema.allOf ?? []), ...(schema.anyOf ?? [])].flatMap(partsOf)];
}

/** Takes what is without effect out of the value, in place. @returns the names that no schema knows, 20 at most */
export function unknownIn(schema: Schema, value: unknown): Unknown[] {
  const found: Unknown[] = [];
  look([schema], value, '', found);
  return found;
}

function look(schemas: Schema[], value: unknown, path: string, found: Unknown[]): void {
  if (typeof value !== 'object' || value === null || found.length >= UNKNOWN_MAX) return;
  const parts = schemas.flatMap(partsOf);
  if (Array.isArray(value)) {
    const items = parts.flatMap(({ items: of }) => of ?? []);
    if (items.length > 0) for (const [n, item] of value.entries()) look(items, item, `${path}/${n}`, found);
    return;
  }
  const isOpen = parts.some((part) => part.patternProperties || part.additionalProperties);
  const named = parts.flatMap(({ properties }): Array<Record<string, Schema>> => (properties ? [properties] : []));
  if (isOpen || named.length === 0) return;
  const record = value as Record<string, unknown>;
  for (const [name, given] of Object.entries(record)) {
    const of = named.flatMap((properties) => (Object.hasOwn(properties, name) ? [properties[name]!] : []));
    if (of.some((schema) => schema['x-without-effect'])) delete record[name];
    else if (of.length > 0) look(of, given, `${path}/${escaped(name)}`, found);
    else if (found.length < UNKNOWN_MAX)
      found.push({
        path,
        name,
        nearest: nearestOf(
          name,
          named.flatMap((of) => Object.keys(of)),
        ),
      });
  }
}

/** As in a JSON pointer. */
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');
