/**
 * Leaves out of a body what its schema doesn't name, before any route sees it: a route may write what it was given. It
 * refuses nothing, as clients send more than there is. What a schema says nothing about stays as it is.
 */

export type Schema = {
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: unknown;
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
};

/** Every part that the same value is held against. */
function partsOf(schema: Schema): Schema[] {
  return [schema, ...[...(schema.allOf ?? []), ...(schema.anyOf ?? [])].flatMap(partsOf)];
}

/** Changes the value in place. */
export function keepKnown(schemas: Schema[], value: unknown): void {
  const parts = schemas.flatMap(partsOf);
  if (Array.isArray(value)) {
    const items = parts.flatMap(({ items: of }) => of ?? []);
    for (const item of value) keepKnown(items, item);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const isOpen = parts.some((part) => part.patternProperties || part.additionalProperties);
  const named = parts.filter(({ properties }) => properties);
  if (isOpen || named.length === 0) return;
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    const of = named.flatMap(({ properties }) => (Object.hasOwn(properties!, key) ? [properties![key]!] : []));
    if (of.length === 0) delete record[key];
    else keepKnown(of, record[key]);
  }
}
