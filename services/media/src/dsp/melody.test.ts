import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { holdMusic } from './melody.ts';

const rms = (piece: Int16Array) => Math.sqrt(piece.reduce((sum, sample) => sum + sample ** 2, 0) / piece.length);

describe('music on hold', () => {
  const music = holdMusic();
  it('is 15 to 30 s of whole frames, and quieter than a voice', () => {
    assert.ok(music.length >= 15 * 8000 && music.length <= 30 * 8000);
    assert.equal(music.length % 160, 0);
    assert.ok(rms(music) < 32_768 * 10 ** (-24 / 20) && rms(music) > 32_768 * 10 ** (-36 / 20));
    assert.ok(music.every((sample) => Math.abs(sample) <= 6000));
  });
  it('never falls silent, and its notes change', () => {
    const levels = Array.from({ length: music.length / 4000 }, (_, n) => rms(music.subarray(n * 4000, (n + 1) * 4000)));
    assert.ok(Math.min(...levels) > 300, `${Math.min(...levels)}`);
    const bar = music.length / 8;
    for (let n = 1; n < 8; n++) {
      let product = 0;
      for (let i = 0; i < 2000; i++) product += music[i]! * music[n * bar + i]!;
      const likeness = product / 2000 / rms(music.subarray(0, 2000)) / rms(music.subarray(n * bar, n * bar + 2000));
      if (n !== 6) assert.ok(likeness < 0.9, `bar ${n} begins as the first one does`);
    }
  });
  it('loops without a seam: its end meets its beginning as any sample meets the next', () => {
    const around = Int16Array.from([...music.subarray(-400), ...music.subarray(0, 400)]);
    const bend = (at: number) => Math.abs(around[at + 1]! - 2 * around[at]! + around[at - 1]!);
    const elsewhere = Array.from({ length: 300 }, (_, n) => bend(n + 50));
    assert.ok(Math.max(bend(399), bend(400)) <= 1.5 * Math.max(...elsewhere));
    // What sounds at its end goes on at its beginning: else there would be a hole.
    assert.ok(rms(music.subarray(-800)) > 300 && rms(music.subarray(0, 40)) > 100);
  });
});
