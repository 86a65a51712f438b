import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeAll, encodeAll } from '../codec/codec.ts';
import { PCMU } from '../codec/g711/g711.ts';
import { KeyDetector } from './key-detector.ts';
import { keyTone, namedTone } from './tone.ts';

function heard(samples: Int16Array): string[] {
  const told: string[] = [];
  const detector = new KeyDetector((digit, durationMs) => told.push(`${digit}:${durationMs}`));
  for (let i = 0; i + 160 <= samples.length; i += 160) detector.hear(samples.subarray(i, i + 160));
  return told;
}

function dial(keys: string, onMs: number, offMs: number): Int16Array {
  const parts = [...keys].flatMap((key) => [keyTone(key, onMs)!, new Int16Array(offMs * 8)]);
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0) + 1600);
  let at = 800;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return decodeAll(PCMU, encodeAll(PCMU, samples));
}

const digits = (told: string[]) => told.map((one) => one[0]).join('');

describe('keys in the audio', () => {
  it('all sixteen keys of 80 ms are told once each, their duration within 25 ms', () => {
    const told = heard(dial('1234567890*#ABCD', 80, 80));
    assert.equal(digits(told), '1234567890*#ABCD');
    for (const one of told) assert.ok(Math.abs(Number(one.slice(2)) - 80) <= 25, one);
  });
  it('the shortest legal key, 50 ms with 50 ms between, is heard, the same key twice', () => {
    assert.equal(digits(heard(dial('5588', 50, 50))), '5588');
  });
  it('ringback, busy and noise hold no key', () => {
    assert.deepEqual(heard(namedTone('ringback')!), []);
    assert.deepEqual(heard(namedTone('busy')!), []);
    let state = 1;
    const noise = Int16Array.from({ length: 80_000 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 16) / 4 - 8192;
    });
    assert.deepEqual(heard(noise), []);
  });
});
