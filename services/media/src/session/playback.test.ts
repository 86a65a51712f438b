import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clipOf } from '../audio/clip.ts';
import { decodeAll } from '../codec/codec.ts';
import { PCMA } from '../codec/g711/g711.ts';
import { Playback } from './playback.ts';

const clip = (...levels: number[]) => {
  const samples = new Int16Array(levels.length * 160);
  for (const [n, level] of levels.entries()) samples.fill(level, n * 160, (n + 1) * 160);
  return { kind: 'clip' as const, clip: clipOf(samples) };
};

/** What is heard frame by frame: a level, or `-` for nothing. */
function heard(playback: Playback, turns: number, frames = 1): string {
  const packet = Buffer.alloc(160);
  const out: string[] = [];
  for (let n = 0; n < turns && !playback.ended; n++) {
    const audible = playback.next(PCMA, packet, 0, frames);
    if (!playback.ended) out.push(audible ? String(Math.round(decodeAll(PCMA, packet)[80]! / 1000)) : '-');
  }
  return out.join(' ');
}

describe('a play', () => {
  it('its pieces follow each other, as often as asked', () => {
    const playback = new Playback(1, 2, 2);
    playback.supply(0, clip(1000, 2000));
    playback.supply(1, { kind: 'silence', frames: 1 });
    assert.equal(heard(playback, 20), '1 2 - 1 2 -');
    assert.deepEqual(playback.ended, { kind: 'finished' });
    assert.equal(playback.playedMs, 120);
  });
  it('waits for a piece that is still being made, and waiting is not playing', () => {
    const playback = new Playback(1, 1, 2);
    playback.supply(1, clip(5000));
    assert.equal(heard(playback, 3), '- - -');
    playback.supply(0, clip(3000));
    assert.equal(heard(playback, 9), '3 5');
    assert.equal(playback.playedMs, 40);
  });
  it('ends at the piece that can not be had, after those before it', () => {
    const playback = new Playback(1, 1, 2);
    playback.supply(0, clip(1000));
    playback.supply(1, { kind: 'failure', reason: 'fetch', detail: 'x' });
    assert.equal(heard(playback, 9), '1');
    assert.deepEqual(playback.ended, { kind: 'failed', reason: 'fetch', detail: 'x' });
  });
  it('nothing, for ever, is over at once', () => {
    for (const pieces of [0, 3]) {
      const playback = new Playback(1, 0, pieces);
      for (let n = 0; n < pieces; n++) playback.supply(n, { kind: 'silence', frames: 0 });
      assert.equal(heard(playback, 9), '');
      assert.deepEqual(playback.ended, { kind: 'finished' });
    }
  });
  it('what the pacer lost while it played is skipped, not sent late', () => {
    const playback = new Playback(1, 1, 1);
    playback.supply(0, clip(1000, 2000, 3000, 4000, 5000, 6000));
    assert.equal(heard(playback, 9, 3), '1 4');
    assert.equal(playback.playedMs, 120);
  });
  it('what was lost while a piece was awaited takes nothing of that piece', () => {
    const playback = new Playback(1, 1, 1);
    assert.equal(heard(playback, 2, 3), '- -');
    playback.supply(0, clip(1000, 2000, 3000));
    assert.equal(heard(playback, 1, 3), '1');
    assert.equal(heard(playback, 9), '2 3');
  });
});
