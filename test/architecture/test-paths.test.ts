/** No production file starts or reads what lies below `test/`; who imports it is judged by the rules of rules.test.ts. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testPathsOf } from './test-paths.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** They start and import nothing of it: the list may only become shorter. */
const ALLOWED: Record<string, RegExp> = {
  '`npm run flow -- record` keeps a call where the golden tests of a clone read it (ADR 27)':
    /^services\/flow-engine\/src\/cli\/record\.ts$/,
  'COVERAGE.md names the scenario that shows an operation': /^services\/api\/src\/(.+\/)?notes\.ts$/,
};

const PRODUCTION = ['services/**/*.{ts,mjs}', 'proto/src/**/*.ts'];
const isProduction = (path: string) => !/node_modules|\/gen\/|\/testing\/|\.test\.ts$/.test(path);

test('a planted path into test/ is seen, however it is written', () => {
  for (const planted of [
    "{ name: 'demo-callee', path: '../test/kit/callee.ts' }",
    "new URL('../../../test/replay/calls/', import.meta.url)",
    'join(root, `test/kit/$' + '{tool}.ts`)',
    "join(root, 'test', 'kit')",
    'spawn(node, ["test/kit/tier.ts"])',
  ])
    assert.equal(testPathsOf(`const x = 1;\n  ${planted};\n`).length, 1, planted);
});

test('comments, hosts that end in .test and words that end in it are no paths', () => {
  for (const harmless of [
    '// tried by test/kit/scene.ts',
    ' * see test/replay/differences.ts',
    "fetch('http://a.test/flow')",
    "'latest/one'",
    "accepts(/test/.test('x'))",
  ])
    assert.deepEqual(testPathsOf(`${harmless}\n`), [], harmless);
});

test('no production file leads into test/', () => {
  const files = globSync(PRODUCTION, { cwd: ROOT, exclude: (path) => /node_modules|\/gen$/.test(String(path)) });
  const production = files.filter(isProduction);
  assert.ok(production.length > 300, `only ${production.length} files were read`);
  const found = production.flatMap((path) =>
    testPathsOf(readFileSync(join(ROOT, path), 'utf8')).map((piece) => ({ path, piece })),
  );
  const isAllowed = (path: string) => Object.values(ALLOWED).some((allowed) => allowed.test(path));
  assert.deepEqual(
    found.filter(({ path }) => !isAllowed(path)),
    [],
  );
  for (const [why, allowed] of Object.entries(ALLOWED))
    assert.ok(
      found.some(({ path }) => allowed.test(path)),
      `nothing needs this exception any longer: ${why}`,
    );
});
