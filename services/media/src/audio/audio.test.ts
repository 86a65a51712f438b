import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { decode, encode, type Law } from '../codec/g711.ts';
import { clipOf } from './clip.ts';
import { looksLikeMp3, readMp3 } from './mp3.ts';
import { wavHeader } from './wav-header.ts';
import { AudioFormatError, readWav } from './wav-read.ts';

/** Strength of one frequency in 8 kHz samples, as an amplitude. */
function amplitude(samples: Int16Array, hertz: number): number {
  let re = 0;
  let im = 0;
  for (let n = 0; n < samples.length; n++) {
    re += samples[n]! * Math.cos((2 * Math.PI * hertz * n) / 8000);
    im += samples[n]! * Math.sin((2 * Math.PI * hertz * n) / 8000);
  }
  return (2 * Math.hypot(re, im)) / samples.length;
}

/** A WAV of sines written by hand, so that the reader is not tested against itself. */
function wav(rate: number, channels: number, bits: number, code: number, value: (n: number) => number): Buffer {
  const frames = rate;
  const data = Buffer.alloc((frames * channels * bits) / 8);
  for (let n = 0; n < frames * channels; n++) {
    const sample = value(Math.floor(n / channels));
    if (code === 6 || code === 7) data[n] = encode(code === 7 ? 'PCMU' : 'PCMA', Int16Array.of(sample * 32_767))[0]!;
    else if (bits === 8) data[n] = 128 + sample * 127;
    else if (bits === 16) data.writeInt16LE(Math.round(sample * 32_767), 2 * n);
  }
  const header = wavHeader(data.length);
  header.writeUInt16LE(code, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt16LE(bits, 34);
  return Buffer.concat([header, data]);
}

const sine = (hertz: number, rate: number) => (n: number) => 0.5 * Math.sin((2 * Math.PI * hertz * n) / rate);

describe('WAV files', () => {
  for (const [rate, channels, bits, code] of [
    [8000, 1, 16, 1],
    [8000, 1, 8, 7],
    [8000, 2, 8, 6],
    [11_025, 1, 8, 1],
    [16_000, 1, 16, 1],
    [22_050, 2, 16, 1],
    [44_100, 2, 16, 1],
    [48_000, 1, 16, 1],
    [6000, 1, 16, 1],
  ] as const)
    it(`${rate} Hz, ${channels} channel(s), ${bits} bits, format ${code}: a tone keeps pitch, level and length`, () => {
      const samples = readWav(wav(rate, channels, bits, code, sine(1000, rate)));
      assert.equal(samples.length, 8000);
      const level = amplitude(samples, 1000);
      assert.ok(level > 15_500 && level < 17_000, `level ${level}`);
    });
  it('what 8 kHz can not hold is filtered out, not folded back', () => {
    for (const rate of [16_000, 44_100, 48_000]) {
      const samples = readWav(wav(rate, 1, 16, 1, sine(5000, rate)));
      assert.ok(amplitude(samples, 3000) < 25, `${rate}: ${amplitude(samples, 3000)}`);
    }
  });
  it('3.3 kHz passes', () => {
    const level = amplitude(readWav(wav(48_000, 1, 16, 1, sine(3300, 48_000))), 3300);
    assert.ok(level > 15_000, `${level}`);
  });
  it('what is no WAV file is refused with a reason', () => {
    for (const bytes of [Buffer.from('nothing here'), wav(8000, 3, 16, 1, () => 0), wav(8000, 1, 16, 17, () => 0)])
      assert.throws(() => readWav(bytes), AudioFormatError);
  });
});

describe('clips', () => {
  it('hold both laws in whole frames, silence at the end', () => {
    const samples = Int16Array.from({ length: 200 }, () => 4000);
    const clip = clipOf(samples);
    assert.equal(clip.frames, 2);
    for (const law of ['PCMU', 'PCMA'] as Law[]) {
      const heard = decode(law, new Uint8Array(clip[law]));
      assert.ok(Math.abs(heard[199]! - 4000) < 130);
      assert.ok(Math.abs(heard[200]!) < 10);
    }
  });
});

describe('MP3', () => {
  it('a tone comes out with its pitch, level and length', async () => {
    const mp3 = readFileSync(new URL('./fixtures/tone-1000hz.mp3', import.meta.url));
    assert.ok(looksLikeMp3(mp3));
    const samples = await readMp3(mp3);
    assert.ok(Math.abs(samples.length - 8000) < 800, `${samples.length}`);
    assert.ok(Math.abs(amplitude(samples.subarray(800, 7200), 1000) - 12_000) < 1000);
  });
  it('frames without a signal are silence of their length', async () => {
    // MPEG-1 layer III, 128 kbit/s, 44.1 kHz, mono: 417 bytes that hold 1,152 samples; empty side information.
    const frame = Buffer.alloc(417);
    frame.set([0xff, 0xfb, 0x90, 0xc4]);
    const samples = await readMp3(Buffer.concat(Array.from({ length: 400 }, () => frame)));
    const expected = (400 * 1152 * 8000) / 44_100;
    assert.ok(Math.abs(samples.length - expected) < 0.02 * expected, `${samples.length} of ${expected}`);
    assert.ok(samples.every((sample) => Math.abs(sample) < 2));
  });
  it('noise is refused', async () => {
    await assert.rejects(readMp3(Buffer.from('not music at all')), AudioFormatError);
  });
});
