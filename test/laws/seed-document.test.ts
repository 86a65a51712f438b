/** The document of a first start's demo app, as api writes it, before the linter and the explorer of the flow engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seedDocument } from '../../services/api/src/demo/seed-document.ts';
import { lint } from '../../services/flow-engine/src/lint/lint.ts';
import { explore } from '../../services/flow-engine/src/simulate/explore.ts';

test('the seed document of the platform gives no finding, and exploring it reaches every verb', () => {
  const xml = seedDocument('http://127.0.0.1:8090/gathered', '1000@127.0.0.1:9000');
  assert.deepEqual(lint(xml).findings, []);
  assert.deepEqual(explore({ xml }).never, []);
  assert.equal(explore({ xml }).walks.length, 10);
});
