/**
 * The operations of the TypeScript client, from the OpenAPI document: `node services/api/src/client/generate.ts` writes
 * them. They are committed, so that a clone needs no step more; a test fails where they are stale.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Document, type Operation, operationsOf, readDocument } from '../reference/document.ts';
import { nameOf, typeOf } from './schema-types.ts';

export const GENERATED = fileURLToPath(new URL('../../client/src/gen/operations.ts', import.meta.url));
export const COMMAND = 'node services/api/src/client/generate.ts';

type Named = { method: string; path: string; operation: Operation };

/** `getUser` of `GetUser`. */
const called = ({ operation }: Named) =>
  operation.operationId.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (s) => s.toLowerCase());

/** The text of `gen/operations.ts`, by the names of operations: two branches that each add one rarely meet. */
export function generated(document: Document): string {
  const operations = operationsOf(document).sort((a, b) => (called(a) < called(b) ? -1 : 1));
  return [
    `// From the OpenAPI document by \`${COMMAND}\`. Never edited.`,
    'export const OPERATIONS = {',
    ...operations.map((of) => `  ${called(of)}: ${callOf(of)},`),
    '} as const;',
    '',
    ...Object.entries(document.components.schemas)
      .filter(([name]) => name !== 'Failure')
      .map(([name, schema]) => `export type ${name} = ${typeOf(schema)};`),
    '',
    'export type Operations = {',
    ...operations.map(
      (of) => `  /** ${of.operation.summary}: ${of.method} ${of.path} */\n  ${called(of)}: ${typesOf(of)};`,
    ),
    '};',
    '',
  ].join('\n');
}

const named = ({ operation }: Named, place: string) => (operation.parameters ?? []).filter((p) => p.in === place);

function callOf(of: Named): string {
  const list = (place: string) => named(of, place).map(({ name }) => `'${name}'`);
  const query = list('query');
  const headers = list('header');
  return [
    `{ method: '${of.method}', path: '${of.path}'`,
    ...(query.length > 0 ? [`query: [${query.join(', ')}]`] : []),
    ...(headers.length > 0 ? [`headers: [${headers.join(', ')}]`] : []),
  ]
    .join(', ')
    .concat(' }');
}

function typesOf(of: Named): string {
  const { parameters = [], requestBody, responses } = of.operation;
  const args = parameters.map(
    ({ name, required, schema }) => `${nameOf(name)}${required ? '' : '?'}: ${typeOf(schema)}`,
  );
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (type === 'multipart/form-data') args.push('file: string | Blob');
  else if (media) args.push(`body${requestBody!.required ? '' : '?'}: ${typeOf(media.schema)}`);
  const [, answer] = Object.entries(responses).find(([status]) => status.startsWith('2'))!;
  const schema = answer.content?.['application/json']?.schema as { properties?: { payload?: object } } | undefined;
  const payload = schema?.properties?.payload;
  const given = payload ? typeOf(payload) : answer.content ? 'Blob' : 'unknown';
  return `{ args: ${args.length > 0 ? `{ ${args.join('; ')} }` : 'Record<never, never>'}; answer: ${given} }`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(GENERATED, generated(await readDocument()));
