/**
 * COVERAGE.md: each operation of the reference and what became of it, from the OpenAPI document and the notes.
 * `node services/api/src/reference/generate.ts` writes it; a test fails where it is stale or names a test that isn't there.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Document, operationsOf, readDocument } from './document.ts';
import { DESCRIBES, SHOWN } from './fields/notes.ts';
import { fieldsOf } from './fields.ts';
import { DIFFERENT, EFFECTS, LEFT_OUT } from './notes.ts';
import { isReading } from './reads.ts';
import { REFERENCE } from './reference.ts';

export const COVERAGE = fileURLToPath(new URL('../../COVERAGE.md', import.meta.url));
export const COMMAND = 'node services/api/src/reference/generate.ts';

type Row = { method: string; path: string; name: string; state: string; effect: string };

const anyName = (path: string) => path.replace(/\{\w+\}/g, '{}');

/** The operations of the reference, then those that only this API has. */
export function rowsOf(document: Document): Row[] {
  const built = new Map(
    operationsOf(document).map(({ method, path, operation }) => [
      `${method} ${anyName(path.replace('/rest', ''))}`,
      { method, path: path.replace('/rest', ''), name: operation.operationId },
    ]),
  );
  const known = REFERENCE.map(({ method, path, name }): Row => {
    const key = `${method} ${anyName(path)}`;
    const found = built.get(key);
    built.delete(key);
    if (found) return { ...found, ...stateOf(found) };
    const [, why] = LEFT_OUT.find(([of]) => of.test(`${method} ${path}`)) ?? [];
    return { method, path, name, state: why ? `left out: ${why}` : '**not built**', effect: '' };
  });
  return [
    ...known,
    ...[...built.values()].map((of) => ({ ...of, ...stateOf(of), state: 'built; not in the reference' })),
  ];
}

function stateOf({ method, path, name }: { method: string; path: string; name: string }) {
  const [file, test] = EFFECTS[name] ?? [];
  const none = isReading({ method, path, name }) ? 'reads' : 'stored only';
  const different = DIFFERENT[name];
  return { state: different ? `built differently: ${different}` : 'built', effect: file ? `${file}: ${test}` : none };
}

export function coverage(document: Document): string {
  const rows = rowsOf(document).sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  const count = (state: RegExp) => rows.filter((row) => state.test(row.state)).length;
  const stored = rows.filter(({ effect }) => effect === 'stored only').length;
  return `# What of the REST API there is

By \`${COMMAND}\`, from the OpenAPI document; never edited. *Effect shown by* names the test in which a call, a bill, a route
or who is let in changed because of the operation; \`stored only\`: there is none, \`reads\`: it changes nothing (cross-account.test.ts asks each of them).

${count(/^built/)} built, ${count(/^left out/)} left out, ${count(/^\*\*/)} not built; of the built ones ${stored} are stored only.

| method | path | operation | what became of it | effect shown by |
| ------ | ---- | --------- | ----------------- | --------------- |
${rows.map(({ method, path, name, state, effect }) => `| ${method} | \`${path}\` | ${name} | ${state} | ${effect} |`).join('\n')}

${fieldCoverage(document)}`;
}

/** Fields that change nothing yet, and where the effect of each other is shown. */
function fieldCoverage(document: Document): string {
  const fields = fieldsOf(document);
  const waiting = fields.flatMap(({ resource, name, storedOnly }) =>
    storedOnly ? [{ resource, name, storedOnly }] : [],
  );
  const shown = Object.entries(SHOWN).flatMap(([resource, tests]) => tests.map((of) => [resource, ...of] as const));
  const ignored = fields.filter(({ isIgnored }) => isIgnored);
  return `## Fields of request bodies

Stored only: kept and shown, and nothing changes by them yet. Their descriptions say so.

| resource | field | why |
| -------- | ----- | --- |
${waiting.map(({ resource, name, storedOnly }) => `| \`${resource}\` | \`${name}\` | ${storedOnly} |`).join('\n')}

With an effect:

| resource | fields | shown by |
| -------- | ------ | -------- |
${shown.map(([resource, names, file, test]) => `| \`${resource}\` | ${names} | ${file}: ${test} |`).join('\n')}

For people, who read them:

| resource | fields |
| -------- | ------ |
${Object.entries(DESCRIBES)
  .map(([resource, names]) => `| \`${resource}\` | ${names.join(' ')} |`)
  .join('\n')}

Taken, since the reference has them, and dropped: ${ignored.map(({ resource, name }) => `\`${resource}\` ${name}`).join(', ')}.
`;
}

const placeOf = ({ path, method }: Row) => `${path} ${method}`;

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(COVERAGE, coverage(await readDocument()));
