// What passes the guard, and what waits there after the process was suspended.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../stack/testing/harness.ts';
import { createSuspendGuard, SUSPENDED_MS } from './suspend-guard.ts';

function open() {
  const clock = manualClock();
  let now = 0;
  const resumed = Promise.withResolvers<void>();
  const slept: number[] = [];
  const guard = createSuspendGuard(
    clock,
    () => now,
    (ms) => {
      slept.push(ms);
      return resumed.promise;
    },
  );
  const done: string[] = [];
  const sleep = (ms: number) => {
    now += ms;
  };
  return { clock, guard, resumed, slept, done, sleep };
}

test('all passes at once while the process is awake', () => {
  const { guard, clock, done, sleep } = open();
  guard.pass(() => done.push('message'));
  guard.clock.after(5, () => done.push('timer'));
  guard.clock.after(5, () => done.push('never'))();
  clock.advance(5);
  sleep(SUSPENDED_MS);
  guard.pass(() => done.push('late, not asleep'));
  assert.deepEqual(done, ['message', 'timer', 'late, not asleep']);
  guard.shut();
});

test('after a sleep messages and timers wait, in order, until it is known what is held', async () => {
  const { guard, clock, resumed, slept, done, sleep } = open();
  guard.clock.after(5, () => done.push('timer'));
  const off = guard.clock.after(5, () => done.push('called off while it waited'));
  sleep(SUSPENDED_MS + 1);
  clock.advance(5);
  guard.pass(() => done.push('message'), 500);
  off();
  assert.deepEqual([done, slept], [[], [SUSPENDED_MS + 1]]);
  resumed.resolve();
  await resumed.promise;
  await new Promise(setImmediate);
  assert.deepEqual(done, ['timer', 'message']);
  guard.shut();
});

test('messages that wait are bounded in bytes; timers and asks never are', async () => {
  const { guard, resumed, done, sleep } = open();
  sleep(SUSPENDED_MS + 1);
  for (let n = 0; n < 1_000; n++) guard.pass(() => done.push('message'), 60_000);
  guard.pass(() => done.push('ask'));
  resumed.resolve();
  await new Promise(setImmediate);
  assert.ok(done.length > 300 && done.length < 600, `${done.length} passed`);
  assert.equal(done.at(-1), 'ask');
  guard.shut();
});

test('shut, nothing passes any more, not even a timer', () => {
  const { guard, clock, done } = open();
  guard.clock.after(5, () => done.push('timer'));
  guard.shut();
  guard.pass(() => done.push('message'));
  clock.advance(5);
  assert.deepEqual(done, []);
});
