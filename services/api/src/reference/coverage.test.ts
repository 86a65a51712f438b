/** COVERAGE.md says what is so: the operations of today, and tests that are there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Document, operationsOf, readDocument } from './document.ts';
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

test('each test that shows an effect is there, and each note is about an operation that is', () => {
  const built = new Set(operationsOf(document).map(({ operation }) => operation.operationId));
  for (const [name, [file, title]] of Object.entries(EFFECTS)) {
    assert.ok(built.has(name), `${name} is no operation`);
    const text = readFileSync(`${ROOT}${file}`, 'utf8');
    assert.ok(
      ['it', 'test'].some((begin) => text.includes(`${begin}('${title}'`)),
      `${file} has no test “${title}”`,
    );
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
