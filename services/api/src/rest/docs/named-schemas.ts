/** Schemas with a title stand once in a document, by that name, and are referred to: `App`, `Call`, `Lease`. Pure. */
import { isDeepStrictEqual } from 'node:util';

type Json = Record<string, unknown>;

/**
 * @param named gets each schema by its title
 * @returns the same with a `$ref` in the place of each
 * @throws Error where two that differ have one title: a reader would take one for the other
 */
export function referred<T>(value: T, named: Json): T {
  if (Array.isArray(value)) return value.map((item) => referred(item, named)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const inside = Object.fromEntries(Object.entries(value).map(([key, of]) => [key, referred(of, named)]));
  const { title, description, ...schema } = inside;
  if (typeof title !== 'string' || schema.type !== 'object') return inside as T;
  if (named[title] !== undefined && !isDeepStrictEqual(named[title], schema))
    throw new Error(`two schemas are called ${title}`);
  named[title] = schema;
  return { $ref: `#/components/schemas/${title}`, ...(description !== undefined && { description }) } as T;
}
