import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact, PlayItem } from '@opentact/proto/events';
import { clipOf } from '../audio/clip.ts';
import type { Piece } from '../prompt/prompt-source.ts';
import type { For } from '../prompt/shared-work.ts';
import { Preparing } from './preparing.ts';

const settled = () => new Promise((go) => setImmediate(go));
const CLIP: Piece = { kind: 'clip', clip: clipOf(new Int16Array(160)) };

/** Preparations that end when they are told to. */
function scene() {
  const begun: { item: PlayItem; by: For; end(piece: Piece): void }[] = [];
  const pieces: { index: number; piece: Piece }[] = [];
  const preparing = new Preparing({
    prompts: { prepare: (item, by) => new Promise((end) => begun.push({ item, by, end })) },
    log: { warn: () => {} },
    piece: ({ index, piece }) => pieces.push({ index, piece }),
  });
  const play = (seq: number, count: number, leg = 0) => {
    const items = Array.from({ length: count }, (_, n) => ({ kind: 'url' as const, value: `http://x/${n}` }));
    return preparing.play({ type: 'PlayRequested', callId: 'c', seq, at: 0, leg, loop: 1, items }, 'acme');
  };
  return { preparing, begun, pieces, play };
}

describe('preparing', () => {
  it('three items of a play are prepared at a time, the first ones first', async () => {
    const { begun, pieces, play } = scene();
    const whole = play(1, 256);
    await settled();
    assert.equal(begun.length, 3);
    for (let n = 0; n < begun.length; n++, await settled()) {
      assert.ok(begun.length - n <= 3);
      begun[n]!.end(CLIP);
    }
    await whole;
    assert.deepEqual(
      pieces.map(({ index }) => index),
      Array.from({ length: 256 }, (_, n) => n),
    );
  });
  it('behind an item that can’t be had nothing more is fetched', async () => {
    const { begun, pieces, play } = scene();
    const whole = play(1, 100);
    begun[0]!.end(CLIP);
    await settled();
    begun[1]!.end({ kind: 'failure', reason: 'fetch', detail: '404' });
    begun[2]!.end(CLIP);
    begun[3]!.end(CLIP);
    await whole;
    assert.equal(begun.length, 4);
    assert.equal(pieces.length, 4);
  });
  it('a play that is stopped, replaced, or of an ended call waits for nothing any more', async () => {
    const { preparing, begun, play } = scene();
    void play(1, 9);
    void play(2, 9, 1);
    void play(3, 9);
    const gaveUp = () => begun.map(({ by }) => (by.signal!.aborted ? 'x' : '-')).join('');
    assert.equal(gaveUp(), 'xxx------');
    preparing.stopPlay('c', 2);
    assert.equal(gaveUp(), 'xxxxxx---');
    preparing.released('c', 0, 2);
    assert.equal(gaveUp(), 'xxxxxx---', 'the play came after it');
    preparing.drop('c');
    assert.equal(gaveUp(), 'xxxxxxxxx');
    for (const { end } of begun) end(CLIP);
    await settled();
    assert.equal(begun.length, 9);
  });
  it('a play holds 64 MiB of audio, what is repeated counted once', async () => {
    const { begun, pieces, play } = scene();
    const long = (): Piece => ({ kind: 'clip', clip: clipOf(new Int16Array(600 * 8000)) });
    const again = long();
    const whole = play(1, 20);
    for (let n = 0; n < begun.length; n++, await settled()) begun[n]!.end(n < 8 ? again : long());
    await whole;
    const failed = pieces.filter(({ piece }) => piece.kind === 'failure');
    assert.ok(failed.length > 0 && failed[0]!.index > 10, JSON.stringify(failed));
  });
  it('an account has twenty hints under way, all together a hundred', async () => {
    const { preparing, begun } = scene();
    const verbs = JSON.stringify({ verbs: [{ name: 'Say', text: 'Soon.' }] });
    const fact = { type: 'DocumentAccepted', verbs } as Fact;
    for (let n = 0; n < 30; n++) void preparing.hint(`c${n}`, fact, 'greedy');
    void preparing.hint('d', fact, 'other');
    assert.equal(begun.length, 21);
    for (const { end } of begun) end(CLIP);
    await settled();
    void preparing.hint('e', fact, 'greedy');
    assert.equal(begun.length, 22);
  });
});
