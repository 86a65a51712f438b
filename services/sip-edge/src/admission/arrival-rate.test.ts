import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createArrivalRate } from './arrival-rate.ts';

const count = (times: number, begin: (n: number) => boolean) =>
  Array.from({ length: times }, (_, n) => begin(n)).filter(Boolean).length;

test('a stranger begins 100 calls at once and 20 a second, an IPv6 network as one', () => {
  const rate = createArrivalRate();
  assert.equal(
    count(300, () => rate.begin('a', '198.51.100.1', false, 1_000)),
    100,
  );
  assert.equal(
    count(300, () => rate.begin('a', '198.51.100.1', false, 2_000)),
    20,
  );
  assert.equal(
    count(300, (n) => rate.begin('b', `2001:db8::${n.toString(16)}`, false, 2_000)),
    100,
  );
});

test('strangers together begin 400 calls of an account at once, however many they are; others’ calls go on', () => {
  const rate = createArrivalRate();
  assert.equal(
    count(50_000, (n) => rate.begin('a', `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, false, 1_000)),
    400,
  );
  assert.equal(rate.begin('b', '10.0.0.1', false, 1_000), true);
});

test('a carrier’s 500 calls a second begin, whatever strangers do', () => {
  const rate = createArrivalRate();
  count(5_000, (n) => rate.begin('a', `10.0.0.${n & 255}`, false, 1_000));
  for (let s = 1; s < 10; s++)
    assert.equal(
      count(500, () => rate.begin('a', '203.0.113.1', true, s * 1_000)),
      500,
    );
});

test('a source tries 200 of nobody’s numbers at once and 20 a second; strangers together 1,000 and 200', () => {
  const rate = createArrivalRate();
  const tried = (times: number, address: string, nowMs: number, isOwn = false) =>
    count(times, () => rate.tries(address, isOwn, nowMs));
  assert.equal(tried(500, '198.51.100.1', 1_000), 200);
  assert.equal(tried(500, '198.51.100.1', 2_000), 20);
  assert.equal(rate.begin('a', '198.51.100.1', false, 2_000), true, 'to whom it knows it may call');
  const others = (nowMs: number) =>
    Array.from({ length: 2_000 }, (_, n) => tried(1, `10.0.${n >> 8}.${n & 255}`, nowMs)).reduce((a, b) => a + b);
  assert.equal(others(2_000), 980);
  assert.equal(others(3_000), 200);
  // What strangers have used up is not held against our own address, a phone that was answered here, or a carrier.
  assert.equal(tried(500, '192.0.2.1', 3_000, true), 200);
  rate.trust('192.0.2.2');
  assert.equal(tried(500, '192.0.2.2', 3_000), 200);
  rate.isPeer('192.0.2.3');
  assert.equal(tried(2_000, '192.0.2.3', 3_000), 1_000);
  assert.equal(tried(2_000, '192.0.2.3', 4_000), 200);
  assert.equal(tried(1, '192.0.2.4', 3_000), 0);
});

test('an address that was somebody’s after all counts no more', () => {
  const rate = createArrivalRate();
  assert.equal(
    count(1_000, () => {
      const may = rate.tries('198.51.100.1', false, 1_000);
      if (may) rate.found('198.51.100.1', false);
      return may;
    }),
    1_000,
  );
});

test('what our own address gives back was not the strangers’: they have no more for it', () => {
  const rate = createArrivalRate();
  const strangers = () => count(2_000, (n) => rate.tries(`10.0.${n >> 8}.${n & 255}`, false, 1_000));
  assert.equal(strangers(), 1_000);
  for (let n = 0; n < 100; n++) {
    assert.ok(rate.tries('192.0.2.1', true, 1_000));
    rate.found('192.0.2.1', true);
  }
  assert.equal(rate.tries('192.0.2.9', false, 1_000), false);
});

test('looking whether a call may begin counts nothing', () => {
  const rate = createArrivalRate();
  count(1_000, () => rate.mayBegin('a', '198.51.100.1', false, 1_000));
  assert.equal(
    count(101, () => rate.mayBegin('a', '198.51.100.1', false, 1_000) && rate.begin('a', '198.51.100.1', false, 1_000)),
    100,
  );
});
