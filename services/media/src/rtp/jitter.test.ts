import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeAll } from '../codec/codec.ts';
import { PCMU } from '../codec/g711/g711.ts';
import { JitterBuffer } from './jitter.ts';

/** A repeatable stand-in for chance: 0 to 1. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

type Arrival = { atMs: number; timestamp: number };

/** Each frame holds its own number as a level, so that order and loss can be told from what comes out. */
function run(arrivals: Arrival[], forMs: number): { levels: number[]; buffer: JitterBuffer } {
  const buffer = new JitterBuffer();
  const queue = [...arrivals].sort((a, b) => a.atMs - b.atMs);
  const frame = new Int16Array(160);
  const levels: number[] = [];
  for (let now = 0; now < forMs; now += 20) {
    while (queue[0] && queue[0].atMs <= now) {
      const { timestamp, atMs } = queue.shift()!;
      const payload = encodeAll(PCMU, new Int16Array(160).fill(1000 + 8 * (timestamp / 160)));
      buffer.put(timestamp, 1, payload, 0, 160, PCMU, atMs);
    }
    if (buffer.take(frame, now)) levels.push(frame[100]!);
  }
  return { levels, buffer };
}

describe('jitter buffer', () => {
  it('steady arrivals come out whole and in order', () => {
    const arrivals = Array.from({ length: 100 }, (_, n) => ({ atMs: n * 20 + 3, timestamp: n * 160 }));
    const { levels } = run(arrivals, 2200);
    assert.equal(levels.length, 100);
    assert.deepEqual(
      levels,
      [...levels].sort((a, b) => a - b),
    );
  });
  it('5 % loss and 40 ms of jitter cost little more than the lost packets', () => {
    const random = chance(7);
    const arrivals: Arrival[] = [];
    for (let n = 0; n < 1000; n++)
      if (random() > 0.05) arrivals.push({ atMs: n * 20 + random() * 40, timestamp: n * 160 });
    const { levels, buffer } = run(arrivals, 20_200);
    assert.ok(levels.length > 0.99 * arrivals.length, `${levels.length} of ${arrivals.length}, ${buffer.late} late`);
    assert.ok(buffer.late < 10, `${buffer.late} late`);
  });
  it('a burst after a stall is played in time, not all at once', () => {
    const arrivals = Array.from({ length: 100 }, (_, n) => ({
      atMs: n >= 20 && n < 25 ? 500 : n * 20,
      timestamp: n * 160,
    }));
    const { levels } = run(arrivals, 2600);
    assert.ok(levels.length >= 94, `${levels.length}`);
  });
  it('a sender that starts its timestamps anew is followed', () => {
    const before = Array.from({ length: 50 }, (_, n) => ({ atMs: n * 20, timestamp: n * 160 }));
    const after = Array.from({ length: 50 }, (_, n) => ({ atMs: 1000 + n * 20, timestamp: 160 * (5000 + n) }));
    assert.ok(run([...before, ...after], 2200).levels.length >= 96);
  });
  it('packets of 10 and 30 ms fill the same frames', () => {
    for (const size of [80, 240]) {
      const buffer = new JitterBuffer();
      const frame = new Int16Array(160);
      let whole = 0;
      let sent = 0;
      for (let now = 0; now < 1200; now += 10) {
        while (sent * (size / 8) <= now) {
          buffer.put(sent * size, 1, new Uint8Array(size).fill(0x90), 0, size, PCMU, now);
          sent++;
        }
        if (now % 20 === 0 && buffer.take(frame, now)) whole++;
      }
      assert.ok(whole > 50, `${whole} frames of ${size} samples`);
    }
  });
});
