// What passes the gate, and what waits there after a sleep.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../stack/transaction/testing.ts';
import { createGate, SLEPT_MS } from './gate.ts';

function open() {
  const clock = manualClock();
  let now = 0;
  const woken = Promise.withResolvers<void>();
  const slept: number[] = [];
  const gate = createGate(
    clock,
    () => now,
    (ms) => {
      slept.push(ms);
      return woken.promise;
    },
  );
  const done: string[] = [];
  const sleep = (ms: number) => {
    now += ms;
  };
  return { clock, gate, woken, slept, done, sleep };
}

test('all passes at once while the process is awake', () => {
  const { gate, clock, done, sleep } = open();
  gate.pass(() => done.push('message'));
  gate.clock.after(5, () => done.push('timer'));
  gate.clock.after(5, () => done.push('never'))();
  clock.advance(5);
  sleep(SLEPT_MS);
  gate.pass(() => done.push('late, not asleep'));
  assert.deepEqual(done, ['message', 'timer', 'late, not asleep']);
  gate.shut();
});

test('after a sleep messages and timers wait, in order, until it is known what is held', async () => {
  const { gate, clock, woken, slept, done, sleep } = open();
  gate.clock.after(5, () => done.push('timer'));
  const off = gate.clock.after(5, () => done.push('called off while it waited'));
  sleep(SLEPT_MS + 1);
  clock.advance(5);
  gate.pass(() => done.push('message'), true);
  off();
  assert.deepEqual([done, slept], [[], [SLEPT_MS + 1]]);
  woken.resolve();
  await woken.promise;
  await new Promise(setImmediate);
  assert.deepEqual(done, ['timer', 'message']);
  gate.shut();
});

test('shut, nothing passes any more, not even a timer', () => {
  const { gate, clock, done } = open();
  gate.clock.after(5, () => done.push('timer'));
  gate.shut();
  gate.pass(() => done.push('message'));
  clock.advance(5);
  assert.deepEqual(done, []);
});
