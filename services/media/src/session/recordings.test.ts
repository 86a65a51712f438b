import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { UNFINISHED } from '../audio/recording-file.ts';
import { readWav } from '../audio/wav-read.ts';
import { PCMA } from '../codec/g711/g711.ts';
import { HEADER_BYTES } from '../rtp/packet.ts';
import { Recorder } from './recorder.ts';
import { Recordings } from './recordings.ts';

const folder = mkdtempSync(join(tmpdir(), 'opentact-recordings-'));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, UNFINISHED));

const packet = Buffer.alloc(HEADER_BYTES + 160);

/** A leg whose audio lies `delayFrames` behind; `frame(says, told)` is one turn of its loop, told nothing where undefined. */
function leg(delayFrames: number) {
  const receiver = { heard: new Int16Array(160), pressed: '', suspected: false, delayFrames };
  const ended: Recorder[] = [];
  const recordings = new Recordings((recorder) => ended.push(recorder));
  return {
    receiver,
    recordings,
    ended,
    record(request: number, wish: { both?: boolean; stopKeys?: string; maxMs?: number } = {}): Recorder {
      const recorder = new Recorder(request, `${folder.length}-${request}-${delayFrames}`, folder, {
        ...{ maxMs: 0, silenceMs: 0, stopKeys: '' },
        ...wish,
      });
      recordings.add(recorder);
      return recorder;
    },
    frame(says: number, told?: number): void {
      receiver.heard.fill(says);
      recordings.hear(receiver);
      recordings.settle();
      if (told === undefined) return;
      PCMA.encode(new Int16Array(160).fill(told), 0, 160, packet, HEADER_BYTES);
      recordings.tell(PCMA, packet);
    },
  };
}

/** The frames of a closed recording, each by its level in thousands. */
async function levels(recorder: Recorder): Promise<number[]> {
  assert.equal(await recorder.close(), 'whole');
  const samples = readWav(readFileSync(join(folder, `${recorder.recordingId}.wav`)));
  return Array.from({ length: samples.length / 160 }, (_, n) => Math.round(samples[n * 160 + 80]! / 1000));
}

describe('recordings of one leg', () => {
  it('both sides are in one that wants both, where each spoke; another holds what the leg said alone', async () => {
    for (const delay of [2, 5]) {
      const { recordings, record, frame, ended } = leg(delay);
      const one = record(1);
      const both = record(2, { both: true });
      // What is told at frame n is answered at once, and its answer heard `delay` frames later.
      for (let n = 0; n < 30; n++) frame(n === 10 + delay ? 4000 : 0, n === 10 ? 9000 : 0);
      recordings.end('stopped');
      assert.deepEqual(new Set(ended), new Set([one, both]));
      assert.deepEqual((await levels(one)).map((level, n) => (level ? n : 0)).filter(Boolean), [10 + delay]);
      assert.deepEqual((await levels(both)).indexOf(13), 10 + delay);
    }
  });

  it('two loud voices do not clip into noise, and a frame in which nothing was sent is silence', async () => {
    const { recordings, record, frame } = leg(3);
    const both = record(3, { both: true });
    for (let n = 0; n < 10; n++) frame(30_000, 30_000);
    for (let n = 0; n < 10; n++) frame(0);
    recordings.end('stopped');
    assert.deepEqual(await levels(both), [30, 30, 30, ...Array(7).fill(33), 30, 30, 30, ...Array(7).fill(0)]);
  });

  it('a delay that grows by more than a frame is followed', async () => {
    const { receiver, recordings, record, frame } = leg(2);
    const both = record(4, { both: true });
    for (let n = 0; n < 10; n++) frame(0, 0);
    receiver.delayFrames = 6;
    for (let n = 10; n < 30; n++) frame(n === 21 ? 4000 : 0, n === 15 ? 9000 : 0);
    recordings.end('stopped');
    assert.equal((await levels(both)).indexOf(13), 21);
  });

  it('each ends by its own key, time or order, and the others go on', async () => {
    const { recordings, record, frame, ended } = leg(2);
    const [star, short, long, both] = [
      record(5, { stopKeys: '*' }),
      record(6, { maxMs: 200 }),
      record(7, { stopKeys: '#' }),
      record(8, { both: true }),
    ];
    assert.ok(recordings.isFull && recordings.has(8));
    for (let n = 0; n < 15; n++) frame(1000, 2000);
    assert.deepEqual(ended, [short]);
    recordings.key('*');
    assert.deepEqual(ended, [short, star]);
    recordings.end('stopped', 8);
    assert.deepEqual(ended, [short, star, both]);
    assert.deepEqual([star.ended, short.ended, both.ended, long.ended], ['key', 'timeout', 'stopped', undefined]);
    assert.ok(!recordings.isFull && !recordings.isEmpty);
    recordings.end('released');
    assert.ok(recordings.isEmpty);
    assert.equal((await levels(long)).length, 15);
    for (const one of [star, short, both]) await one.close();
  });

  it('all of them are left to whoever goes on with them', async () => {
    const { recordings, record, frame, ended } = leg(2);
    record(9);
    const first = record(10, { both: true });
    for (let n = 0; n < 10; n++) frame(1000, 2000);
    await recordings.leave();
    assert.deepEqual(ended, []);
    assert.ok(recordings.isEmpty);
    const second = new Recorder(10, first.recordingId, folder, { maxMs: 0, silenceMs: 0, stopKeys: '', both: true });
    recordings.add(second);
    for (const end = Date.now() + 20_000; second.durationMs === 0; await new Promise((opened) => setTimeout(opened, 5)))
      assert.ok(Date.now() < end, 'what there is was not found within 10 s');
    for (let n = 0; n < 5; n++) frame(1000, 2000);
    recordings.end('stopped');
    assert.equal((await levels(second)).length, 15);
  });
});
