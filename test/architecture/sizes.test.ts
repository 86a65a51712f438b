/** The rule of lengths catches what it names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, longIn } from './sizes.ts';

const lines = (n: number, text = '  work();') => Array.from({ length: n }, () => text).join('\n');

test('a file of 301 lines and a function of 61 are too long, whatever kind of function it is', () => {
  assert.deepEqual(longIn('a.ts', lines(300, '// line')), {});
  assert.deepEqual(longIn('a.ts', lines(301, '// line')), { 'a.ts': 301 });
  assert.deepEqual(longIn('a.ts', `function short() {\n${lines(58)}\n}\n`), {});
  assert.deepEqual(longIn('a.ts', `function long() {\n${lines(59)}\n}\n`), { 'a.ts#long': 61 });
  assert.deepEqual(longIn('a.ts', `export const made = () => {\n${lines(60)}\n};\n`), { 'a.ts#made': 62 });
  assert.deepEqual(longIn('a.ts', `class A {\n  method() {\n${lines(60)}\n  }\n}\n`), { 'a.ts#method': 62 });
  assert.deepEqual(longIn('a.ts', `const o = {\n  of: () => {\n${lines(60)}\n  },\n};\n`), { 'a.ts#of': 62 });
});

test('what is new, what grew and what is no longer too long is said by name; what shrank is not', () => {
  assert.deepEqual(judge({ 'a.ts#f': 70 }, { 'a.ts#f': 80 }), []);
  assert.match(judge({ 'a.ts#f': 70 }, {})[0]!, /a\.ts#f has 70 lines: at most 60/);
  assert.match(judge({ 'a.ts': 310 }, {})[0]!, /at most 300/);
  assert.match(judge({ 'a.ts#f': 81 }, { 'a.ts#f': 80 })[0]!, /grew to 81/);
  assert.match(judge({}, { 'a.ts#f': 80 })[0]!, /take it out/);
});
