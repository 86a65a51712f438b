import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSetupLimit } from './setup-limit.ts';

/** A platform that sets so many calls up in a second, one after the other, and what became of the calls of each second. */
function platform(perSecond: (second: number) => number, offered: number, seconds: number) {
  const limit = createSetupLimit();
  const waiting: number[] = [];
  const took: number[] = [];
  const accepted = Array.from({ length: seconds }, () => 0);
  const refused = Array.from({ length: seconds }, () => 0);
  let arrivals = 0;
  let work = 0;
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs++) {
    const second = Math.floor(nowMs / 1000);
    for (arrivals += offered / 1000; arrivals >= 1; arrivals--)
      if (limit.isFull()) refused[second]!++;
      else {
        limit.began();
        waiting.push(nowMs);
        accepted[second]!++;
      }
    for (work = Math.min(work + perSecond(second) / 1000, Math.max(1, waiting.length)); work >= 1; work--) {
      const beganMs = waiting.shift();
      if (beganMs === undefined) continue;
      limit.ended(beganMs, nowMs);
      took.push(nowMs - beganMs);
    }
  }
  return { accepted, refused, took };
}

test('nobody is refused while the platform keeps up', () => {
  for (const offered of [10, 95, 99]) {
    const { refused, took } = platform(() => 100, offered, 60);
    assert.equal(Math.max(...refused), 0, `${offered} of 100 a second`);
    assert.ok(Math.max(...took) < 250);
  }
});

test('at three times what is carried, what is carried is accepted, in each second, and waits a quarter of a second', () => {
  for (const carried of [40, 100, 400]) {
    const { accepted, took } = platform(() => carried, 3 * carried, 60);
    for (const [second, count] of accepted.entries())
      if (second >= 10)
        assert.ok(count >= 0.9 * carried && count <= 1.1 * carried, `${carried}: ${count} in ${second}`);
    const settled = took.slice(took.length / 4);
    assert.ok(Math.max(...settled) < 400, `${Math.max(...settled)} ms`);
  }
});

test('a log that stands still for two seconds costs the calls of that time, and seconds later all are let in again', () => {
  const { accepted, refused } = platform((second) => (second === 20 || second === 21 ? 0 : 200), 100, 60);
  assert.equal(
    refused.slice(0, 20).reduce((sum, n) => sum + n),
    0,
  );
  assert.ok(accepted[20]! + accepted[21]! <= 128 + 8);
  assert.equal(
    refused.slice(26).reduce((sum, n) => sum + n),
    0,
  );
});

test('a few calls at once are always let in', () => {
  const limit = createSetupLimit();
  for (let nowMs = 0; nowMs < 1e6; nowMs += 10_000) {
    limit.began();
    limit.ended(nowMs, nowMs + 9_000);
  }
  for (let n = 0; n < 8; n++) {
    assert.equal(limit.isFull(), false);
    limit.began();
  }
  assert.equal(limit.isFull(), true);
});
