/** Plants a violation of each import rule in a small tree of its own and expects the rule's name. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const tree = mkdtempSync(join(tmpdir(), 'opentact-rules-'));
after(() => rmSync(tree, { recursive: true, force: true }));

const PLANTED: Record<string, Record<string, string>> = {
  'domain-is-pure': { 'services/a/src/domain/reads.ts': "import 'node:fs';\n" },
  'domain-takes-types-only': {
    'services/b/src/domain/decodes.ts':
      "import { codec } from '../../../../proto/src/events.ts';\nexport const used = codec;\n",
    'proto/src/events.ts': 'export const codec = 1;\nexport type Event = { type: string };\n',
  },
  'services-do-not-import-each-other': {
    'services/c/src/main.ts': "import { d } from '../../d/src/main.ts';\nexport const c = d;\n",
    'services/d/src/main.ts': 'export const d = 1;\n',
  },
  'the-phone-takes-stack-and-peer': {
    'services/phone/src/phone.ts': "export * from '../../d/src/main.ts';\n",
  },
  'a-cell-takes-starts': {
    'services/cell/src/main.ts': "export * from '../../d/src/main.ts';\n",
  },
  'shared-knows-no-service': { 'services/shared/e/src/index.ts': "export * from '../../../d/src/main.ts';\n" },
  'proto-knows-nobody': { 'proto/src/knows.ts': "export * from '../../services/d/src/main.ts';\n" },
  'the-view-of-a-call-is-pure': {
    'proto/src/call-view/reads.ts': "import { wire } from '../wire.ts';\nexport const read = wire;\n",
    'proto/src/wire.ts': 'export const wire = 1;\n',
  },
  'production-imports-no-tests': {
    'services/f/src/main.ts': "import '../../../test/kit/peer.ts';\n",
    'test/kit/peer.ts': 'export const peer = 1;\n',
  },
  'adapters-are-chosen-in-start': {
    'services/g/src/engine/engine.ts': "import { a } from '../adapters/a.ts';\nexport const g = a;\n",
    'services/g/src/adapters/a.ts': 'export const a = 1;\n',
  },
  'api-kernel-knows-nobody': {
    'services/api/src/kernel/digits.ts': "import '../database/database.ts';\n",
    'services/api/src/database/database.ts': 'export const database = 1;\n',
  },
  'api-database-knows-the-kernel': { 'services/api/src/database/seed.ts': "import '../rest/errors.ts';\n" },
  'api-frame-knows-no-feature': { 'services/api/src/rest/search.ts': "import '../numbers/leases.ts';\n" },
  'api-features-are-wired-in-app': {
    'services/api/src/jobs/jobs.ts': "import '../app.ts';\n",
    'services/api/src/app.ts': 'export const app = 1;\n',
  },
  'api-features-know-no-http': {
    'services/api/src/money/move.ts': "import '../rest/errors.ts';\n",
    'services/api/src/calls/place-call.ts': "import './rest/calls.ts';\n",
    'services/api/src/calls/caller.ts': "import 'node:http';\n",
    'services/api/src/numbers/leases.ts': "import 'fastify';\n",
    'services/api/src/rest/errors.ts': 'export const errors = 1;\n',
    'services/api/src/calls/rest/calls.ts': 'export const calls = 1;\n',
  },
  'no-circles': {
    'services/h/src/one.ts': "import { two } from './two.ts';\nexport const one = () => two;\n",
    'services/h/src/two.ts': "import { one } from './one.ts';\nexport const two = () => one;\n",
    'services/i/src/one.ts': "import type { Two } from './two.ts';\nexport type One = { two: Two };\n",
    'services/i/src/two.ts': "import type { One } from './one.ts';\nexport type Two = { one?: One };\n",
  },
};

function cruise(): Array<{ rule: string; from: string }> {
  cpSync(join(ROOT, '.dependency-cruiser.cjs'), join(tree, '.dependency-cruiser.cjs'));
  cpSync(join(ROOT, 'tsconfig.json'), join(tree, 'tsconfig.json'));
  const args = ['services', 'proto', 'test', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  let out: string;
  try {
    out = execFileSync(join(ROOT, 'test/tools/node_modules/.bin/depcruise'), args, {
      cwd: tree,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    out = (error as { stdout: string }).stdout; // it ends with the number of violations
  }
  const { summary } = JSON.parse(out) as { summary: { violations: Array<{ rule: { name: string }; from: string }> } };
  return summary.violations.map((v) => ({ rule: v.rule.name, from: v.from }));
}

for (const files of Object.values(PLANTED))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
const found = cruise();

for (const [rule, files] of Object.entries(PLANTED)) {
  const importing = Object.keys(files).filter((path) => /\bfrom '|^import '/.test(files[path]!));
  // A circle is found at one of its files.
  const culprits = rule === 'no-circles' ? importing.filter((path) => path.endsWith('/one.ts')) : importing;
  test(`${rule} catches its violation`, () => {
    for (const culprit of culprits)
      assert.ok(
        found.some((v) => v.rule === rule && v.from === culprit),
        `${culprit}: found only ${JSON.stringify(found)}`,
      );
    assert.ok(culprits.length > 0);
  });
}
