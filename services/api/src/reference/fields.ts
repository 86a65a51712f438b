/** Each field of each request body, but for searches, with what its schema says of it: what COVERAGE.md tells of fields is made from. */
import { type Document, operationsOf, type Schema } from './document.ts';
import { isReading } from './reads.ts';

/** `name`: with those that it lies in, `items.tn`. `storedOnly`: why it changes nothing. `isIgnored`: it is taken and not kept. */
export type Field = { resource: string; name: string; storedOnly: string | undefined; isIgnored: boolean };

const key = ({ resource, name }: Pick<Field, 'resource' | 'name'>) => `${resource} ${name}`;

/** By resource and name, each once. A resource is a path below `/rest` without the parameter at its end. */
export function fieldsOf(document: Document): Field[] {
  const found = new Map<string, Field>();
  for (const { method, path, operation } of operationsOf(document)) {
    if (isReading({ method, path, name: operation.operationId })) continue;
    const resource = path
      .replace(/^\/rest/, '')
      .replace(/\/\{\w+\}$/, '')
      .replaceAll(/\{\w+\}/g, '{}');
    for (const { schema } of Object.values(operation.requestBody?.content ?? {}))
      for (const [name, of] of namedIn(document, schema, '')) {
        const known = found.get(key({ resource, name }));
        const storedOnly = of['x-stored-only'] ?? known?.storedOnly;
        const isIgnored = of['x-without-effect'] ?? known?.isIgnored ?? false;
        found.set(key({ resource, name }), { resource, name, storedOnly, isIgnored });
      }
  }
  return [...found.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** The fields that hold no others. */
function namedIn(document: Document, given: Schema, within: string): Array<[name: string, of: Schema]> {
  const schema = given.$ref ? (document.components.schemas[given.$ref.split('/').at(-1)!] as Schema) : given;
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])];
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, of]): Array<[string, Schema]> => {
    const path = within ? `${within}.${name}` : name;
    const below = namedIn(document, of, path);
    return below.length > 0 ? below : [[path, of]];
  });
  return [...own, ...parts.flatMap((part) => namedIn(document, part, within))];
}
