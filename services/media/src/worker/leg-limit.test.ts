import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LegLimit } from './leg-limit.ts';

/** Half a second of `legs` legs, of whose frames a share is late. */
const paced = (legs: number, share: number) => ({ frames: legs * 25, late: legs * 25 * share });

test('a worker whose packets go out in time takes more, as far as it is used, and never more than its most', () => {
  const limit = new LegLimit();
  limit.learn(paced(60, 0), 60);
  assert.equal(limit.legs, 150, 'less than half of it was used');
  for (let n = 0; n < 30; n++) limit.learn(paced(limit.legs, 0), limit.legs);
  assert.equal(limit.legs, 1_000);
});

test('once a hundredth is late it takes fewer than it holds, and not more again while some are', () => {
  const limit = new LegLimit({ first: 400 });
  limit.learn(paced(390, 0.02), 390);
  assert.equal(limit.legs, 351);
  limit.learn(paced(351, 0.008), 351);
  assert.equal(limit.legs, 351);
  limit.learn(paced(300, 0.001), 300);
  assert.equal(limit.legs, 451);
});

test('it never falls below what any machine does, and few frames prove nothing', () => {
  const limit = new LegLimit();
  limit.learn({ frames: 50, late: 50 }, 2);
  assert.equal(limit.legs, 150);
  for (let n = 0; n < 50; n++) limit.learn(paced(10, 1), 10);
  assert.equal(limit.legs, 50);
  const fixed = new LegLimit({ first: 2, most: 2 });
  fixed.learn(paced(10, 1), 10);
  fixed.learn(paced(10, 0), 10);
  assert.equal(fixed.legs, 2);
});
