/** The TypeScript client is what the OpenAPI document says today. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readDocument } from '../reference/document.ts';
import { COMMAND, GENERATED, generated } from './generate.ts';
import { typeOf } from './schema-types.ts';

test('the generated operations are those of the document', async () => {
  const isSame = readFileSync(GENERATED, 'utf8') === generated(await readDocument());
  assert.ok(isSame, `services/api/client is stale: ${COMMAND}`);
});

test('a schema is a type: choices, lists, maps, what may be left out', () => {
  const text = { type: 'string' };
  const one = { type: 'object', properties: { a: text, 'b-c': { type: 'integer' } }, required: ['a'] };
  assert.equal(typeOf(one), "{ a: string; 'b-c'?: number }");
  assert.equal(typeOf({ anyOf: [{ const: "it's" }, { type: 'null' }] }), "'it\\'s' | null");
  assert.equal(typeOf({ type: 'array', items: { enum: ['x', 1] } }), "Array<'x' | 1>");
  assert.equal(typeOf({ type: 'object', patternProperties: { '^.*$': text } }), 'Record<string, string>');
  assert.throws(() => typeOf({ type: 'tuple' }), /no type for/);
});
