/** COVERAGE.md says what is so: the operations of today, and tests that are there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Document, operationsOf, readDocument } from './document.ts';
import { DESCRIBES, SHOWN } from './fields/notes.ts';
import { fieldsOf } from './fields.ts';
import { COMMAND, COVERAGE, coverage, rowsOf } from './generate.ts';
import { DIFFERENT, EFFECTS, LEFT_OUT } from './notes.ts';
import { REFERENCE } from './reference.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
let document: Document;
before(async () => {
  document = await readDocument();
});

test('COVERAGE.md is what the document and the notes say', () => {
  assert.ok(readFileSync(COVERAGE, 'utf8') === coverage(document), `services/api/COVERAGE.md is stale: ${COMMAND}`);
});

function isThere(file: string, title: string): void {
  const text = readFileSync(`${ROOT}${file}`, 'utf8');
  assert.ok(
    ['it', 'test'].some((begin) => text.includes(`${begin}('${title}'`)),
    `${file} has no test “${title}”`,
  );
}

test('each test that shows an effect is there, and each note is about an operation that is', () => {
  const built = new Set(operationsOf(document).map(({ operation }) => operation.operationId));
  for (const [name, [file, title]] of Object.entries(EFFECTS)) {
    assert.ok(built.has(name), `${name} is no operation`);
    isThere(file, title);
  }
  for (const name of Object.keys(DIFFERENT)) assert.ok(built.has(name), `${name} is no operation`);
});

test('each operation of the reference is built, or left out with a reason', () => {
  const open = rowsOf(document).filter(({ state }) => state === '**not built**');
  assert.deepEqual(
    open.map(({ method, path }) => `${method} ${path}`),
    [],
  );
});

test('nothing that is built is called left out, and no operation of the reference is forgotten', () => {
  const rows = rowsOf(document);
  assert.ok(REFERENCE.length >= 165 && rows.length >= REFERENCE.length);
  const names = REFERENCE.map(({ method, path }) => `${method} ${path}`);
  assert.equal(new Set(names).size, names.length);
  const built = rows.filter(({ state }) => state.startsWith('built')).map(({ method, path }) => `${method} ${path}`);
  for (const [pattern, why] of LEFT_OUT) {
    assert.ok(
      names.some((name) => pattern.test(name)),
      `${pattern} is about nothing of the reference`,
    );
    assert.deepEqual(
      built.filter((name) => pattern.test(name)),
      [],
      `built, though “${why}”`,
    );
  }
});

test('each field of a request body has an effect that a test shows, or describes, or says that it has none', () => {
  const noted = [
    ...Object.entries(DESCRIBES).flatMap(([resource, names]) => names.map((name) => `${resource} ${name}`)),
    ...Object.entries(SHOWN).flatMap(([resource, tests]) =>
      tests.flatMap(([names]) => names.split(' ').map((name) => `${resource} ${name}`)),
    ),
  ];
  const fields = fieldsOf(document);
  assert.ok(fields.length > 200, `${fields.length} fields`);
  const saying = fields.filter(({ storedOnly, isIgnored }) => storedOnly !== undefined || isIgnored);
  const all = [...noted, ...saying.map(({ resource, name }) => `${resource} ${name}`)].sort();
  assert.deepEqual(
    all,
    fields.map(({ resource, name }) => `${resource} ${name}`).sort(),
    'a new field is noted in fields/notes.ts, or its schema has storedOnly(why)',
  );
  for (const [, file, title] of Object.values(SHOWN).flat()) isThere(file, title);
});

test('a field that is stored only says so wherever it is described', () => {
  const silent: string[] = [];
  const look = (of: unknown, path: string): void => {
    if (typeof of !== 'object' || of === null) return;
    const { 'x-stored-only': why, description = '' } = of as { 'x-stored-only'?: string; description?: string };
    if (why !== undefined && !description.startsWith(`Stored; has no effect yet: ${why}.`)) silent.push(path);
    for (const [name, below] of Object.entries(of)) look(below, `${path}/${name}`);
  };
  look(document, '');
  assert.deepEqual(silent, []);
});
