/** Whatever text comes as a document: nothing throws, nothing hangs, nothing piles up, and parser and linter agree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from '../../services/flow-engine/src/xml/document.ts';
import { documentOf, fuzzOnce } from './fuzz/fuzz.ts';
import { heapBytes } from './fuzz/memory.ts';
import { TARGETS } from './fuzz/targets.ts';

const RUNS = Number(process.env.OPENTACT_FUZZ_RUNS ?? 6_000);
const FIRST_SEED = Number(process.env.OPENTACT_FUZZ_SEED ?? 1);
const WIRE_RUNS = Number(process.env.OPENTACT_FUZZ_RUNS ?? 10_000);
const GROWTH_MAX = 50 * 1_048_576;

test(`${RUNS} random documents are taken or refused, and every call of one that is taken ends`, () => {
  const before = heapBytes();
  const seeds = Array.from({ length: RUNS }, (_, n) => FIRST_SEED + n);
  for (const seed of seeds) {
    const failure = fuzzOnce(seed);
    assert.equal(failure, undefined, `seed ${seed}: ${failure?.fault}\n${failure?.document}`);
  }
  assert.ok(heapBytes() - before < GROWTH_MAX, `${heapBytes() - before} bytes more are held`);
});

test('the documents are no dull ones: many run, many are refused', () => {
  const taken = Array.from({ length: 400 }, (_, n) => parseDocument(documentOf(FIRST_SEED + n)).ok);
  const share = taken.filter(Boolean).length / taken.length;
  assert.ok(share > 0.15 && share < 0.85, `${(share * 100).toFixed(0)} % are taken`);
});

for (const { name, once } of TARGETS.filter((target) => target.name !== 'documents'))
  test(`${WIRE_RUNS} times ${name} by chance: read or refused, soon`, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + WIRE_RUNS; seed++) {
      const failure = once(seed);
      assert.equal(failure, undefined, `npm run fuzz -- ${name} --runs 1 --seed ${seed}: ${failure?.fault}`);
    }
  });
