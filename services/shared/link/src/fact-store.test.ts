/** What the store remembers of a key, and for how long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFactStore, STORE_LIMITS } from './fact-store.ts';

const storeOf = () => createFactStore(8, STORE_LIMITS, () => 0);

test('facts of a key that was over count on from where they were', () => {
  const store = storeOf();
  store.add('k', new Uint8Array());
  store.ack('k', 1);
  store.forget('k');
  assert.equal(store.find('k'), undefined);
  assert.equal(store.add('k', new Uint8Array()).fact.n, 2);
});

test('a request that is asked again after its key was over here is new work', () => {
  const store = storeOf();
  store.stateOf('k').asked.add(40);
  store.letGo('k');
  assert.equal(store.stateOf('k').asked.has(40), false);
});

test('a key that nobody spoke of for long keeps what was asked', () => {
  let now = 0;
  const store = createFactStore(8, STORE_LIMITS, () => now);
  store.stateOf('k').asked.add(40);
  now = 11 * 60_000;
  store.sweep(new Set());
  assert.equal(store.find('k'), undefined);
  assert.equal(store.stateOf('k').asked.has(40), true);
});

test('a key that is over goes only with its last fact', () => {
  const store = storeOf();
  store.add('k', new Uint8Array());
  store.forget('k');
  assert.ok(store.find('k'));
  store.ack('k', 1);
  assert.equal(store.find('k'), undefined);
});
