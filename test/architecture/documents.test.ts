/** What the threat model names is there: a promise whose test was moved or is gone is no promise. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENT = 'services/SECURITY.md';

/** Tests that it names: by their path below services or the top; a name alone stands in the folder named before it. */
function namedIn(text: string): string[] {
  const missing: string[] = [];
  for (const line of text.split('\n')) {
    let folder = '';
    for (const [, path = ''] of line.matchAll(/`([\w./-]+\.test\.ts|test\/[\w./-]+\.ts)`/g)) {
      const places = [path, join('services', path), join(folder, path)];
      const found = places.find((place) => existsSync(join(ROOT, place)));
      if (found) folder = dirname(found);
      else if (path.includes('/') || globSync(join(ROOT, `{services,proto,test}/**/${path}`)).length === 0)
        missing.push(path);
    }
  }
  return missing;
}

test('each test that the threat model names exists', () => {
  const text = readFileSync(join(ROOT, DOCUMENT), 'utf8');
  assert.ok(text.match(/\.test\.ts`/g)!.length > 20, 'it names tests');
  assert.deepEqual(namedIn(text), []);
});

test('one that is gone is found', () => {
  assert.deepEqual(namedIn('| x | `sip-edge/src/gone.test.ts`, `nowhere-at-all.test.ts` |'), [
    'sip-edge/src/gone.test.ts',
    'nowhere-at-all.test.ts',
  ]);
});
