/**
 * Every pattern of api, whatever text it meets: each regular expression of its sources and each `pattern` of its schemas is
 * timed on texts that a careless one would go back over, so that a new one is judged without being listed here.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import ts from 'typescript';
import { exchangesOf } from '../../services/api/src/dictionaries/exchanges.ts';
import { isEmergencyNumber } from '../../services/api/src/directory/caller-id.ts';
import { screen } from '../../services/api/src/directory/screening.ts';
import { csvRecords } from '../../services/api/src/kernel/csv.ts';
import { likeOf } from '../../services/api/src/kernel/mask.ts';
import { growsFaster, type Shape } from './linear.ts';

/** A quarter of a request's body: quadratic work shows long before. */
const CHARS = 16 * 1024;
const ENDS = ['', '\n!', '@'];
const PARTS = [...'0aA.-_*%:/@, ;\t\n<"(=+', '0.', 'a.', 'a-', 'a@', '-0', ':0', ', ', '*%', '%\n', ' (', '0,', '::'];
const HEADS = ['', 'a@'];
const SHAPES: Shape[] = HEADS.flatMap((head) =>
  PARTS.flatMap((part) =>
    ENDS.map((end) => ({
      name: JSON.stringify(`${head}${part}…${end}`),
      make: (n: number) => head + part.repeat(Math.floor(n / part.length)) + end,
    })),
  ),
);

type Pattern = { where: string; expression: RegExp };

function patternsOf(file: string): Pattern[] {
  const found: Pattern[] = [];
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const add = (node: ts.Node, make: () => RegExp) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    found.push({ where: `${file}:${line + 1} ${node.getText()}`, expression: make() });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      add(node, () => new RegExp(node.text.slice(1, end), node.text.slice(end + 1)));
    }
    // Of a schema, or a constant of one: text that is anchored at both ends is a pattern and nothing else.
    if (ts.isStringLiteralLike(node) && /^\^.*\$$|^\^\(/.test(node.text)) add(node, () => new RegExp(node.text, 'u'));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

test('every regular expression and every pattern of a schema takes time by the length of its text', () => {
  const files = globSync('services/api/src/**/*.ts').filter(
    (file) => !/\.test\.ts$|\/testing\/|\/reference\//.test(file),
  );
  const patterns = files.flatMap(patternsOf);
  assert.ok(patterns.length > 60, `${patterns.length} patterns`);
  const ofApi = createRequire(new URL('../../services/api/package.json', import.meta.url));
  const { email } = ofApi('ajv-formats/dist/formats.js').fullFormats as Record<string, RegExp>;
  patterns.push({ where: 'the format email', expression: email! });
  for (const { where, expression } of patterns) {
    const work = (text: string) => {
      expression.lastIndex = 0;
      return expression.global ? text.replace(expression, '') : expression.test(text);
    };
    assert.deepEqual(growsFaster(SHAPES, CHARS, work), [], where);
  }
});

test('numbers, masks and callers of any length', () => {
  const lists = [{ list: 'blacklist' as const, caller: '1212%*' }];
  const work = (text: string) => [isEmergencyNumber(text), screen(text, false, lists), likeOf(text)];
  assert.deepEqual(growsFaster(SHAPES, CHARS, work), []);
});

test('a file of numbering data', async () => {
  async function* chunks(text: string) {
    for (let at = 0; at < text.length; at += 4096) yield text.slice(at, at + 4096);
  }
  const timed = async (text: string) => {
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 3; run++) {
      const started = performance.now();
      try {
        for await (const _ of exchangesOf(csvRecords(chunks(`npa,nxx,state,county\n${text}`))));
      } catch {}
      best = Math.min(best, performance.now() - started);
    }
    return best;
  };
  for (const part of ['"', ',', '\n', '\r\n', 'a', '""', '212,555,NY,"a\n"\n', ' ']) {
    const [small, large] = [await timed(part.repeat(2_000)), await timed(part.repeat(16_000))];
    assert.ok(large < 20 || large / small < 24, `${JSON.stringify(part)}: ${small} ms, then ${large} ms`);
  }
});
