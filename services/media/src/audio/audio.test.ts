import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { encodeAll } from '../codec/codec.ts';
import { CODECS } from '../codec/codecs.ts';
import { PCMA, PCMU } from '../codec/g711/g711.ts';
import { clipOf, heardOf } from './clip.ts';
import { mp3Start, readMp3 } from './mp3.ts';
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
    if (code === 6 || code === 7) data[n] = encodeAll(code === 7 ? PCMU : PCMA, Int16Array.of(sample * 32_767))[0]!;
    else if (bits === 8) data[n] = 128 + sample * 127;
    else if (bits === 16) data.writeInt16LE(Math.round(sample * 32_767), 2 * n);
  }
  const header = wavHeader(data.length);
  header.writeUInt16LE(code, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt16LE((channels * bits) / 8, 32);
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
  it('a rate whose filter would take seconds to make is refused; common ones are heard, and no sound costs no filter', () => {
    const common = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 37_800, 44_100, 48_000];
    const from = process.threadCpuUsage();
    for (const rate of [...common, 64_000, 88_200, 96_000, 176_400, 192_000]) {
      const heard = readWav(wav(rate, 1, 16, 1, sine(440, rate)).subarray(0, 44 + rate / 5));
      assert.ok(Math.abs(amplitude(heard.subarray(100, 700), 440) - 16_384) < 900, `${rate} Hz`);
    }
    for (const rate of [191_999, 44_101, 8001]) {
      const one = Buffer.concat([wav(rate, 1, 8, 1, () => 0).subarray(0, 44), Buffer.of(128)]);
      assert.throws(() => readWav(one), new RegExp(`${rate} Hz`));
    }
    const { user } = process.threadCpuUsage(from);
    assert.ok(user < 2_000_000, `${user} us of work`);
  });
  it('what is no WAV file is refused with a reason', () => {
    for (const bytes of [Buffer.from('nothing here'), wav(8000, 3, 16, 1, () => 0), wav(8000, 1, 16, 17, () => 0)])
      assert.throws(() => readWav(bytes), AudioFormatError);
  });
});

/** A WAV whose fields are all given: `chunks` behind the format, and the length that the file says of itself. */
function raw(
  format: { code?: number; channels?: number; rate?: number; block: number; bits: number; valid?: number },
  chunks: Array<[name: string, size: number, body: Buffer]>,
  riffSize?: number,
): Buffer {
  const { code = 1, channels = 1, rate = 8000, block, bits, valid } = format;
  const fmt = Buffer.alloc(valid === undefined ? 16 : 40);
  fmt.writeUInt16LE(valid === undefined ? code : 0xfffe, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(rate, 4);
  fmt.writeUInt32LE(rate * block, 8);
  fmt.writeUInt16LE(block, 12);
  fmt.writeUInt16LE(bits, 14);
  if (valid !== undefined) {
    fmt.writeUInt16LE(22, 16);
    fmt.writeUInt16LE(valid, 18);
    fmt.writeUInt16LE(code, 24);
    Buffer.from('000000001000800000aa00389b71', 'hex').copy(fmt, 26);
  }
  const parts = [['fmt ', fmt.length, fmt] as const, ...chunks].map(([name, size, body]) => {
    const head = Buffer.alloc(8);
    head.write(name, 0, 'latin1');
    head.writeUInt32LE(size >>> 0, 4);
    return Buffer.concat([head, body]);
  });
  const whole = Buffer.concat([Buffer.from('RIFF....WAVE', 'latin1'), ...parts]);
  whole.writeUInt32LE(riffSize ?? whole.length - 8, 4);
  return whole;
}

const tone = (block: number, write: (data: Buffer, value: number, at: number) => void): Buffer => {
  const data = Buffer.alloc(8000 * block);
  for (let n = 0; n < 8000; n++) write(data, sine(1000, 8000)(n), n * block);
  return data;
};

describe('WAV headers that don’t add up', () => {
  const isTone = (samples: Int16Array) => {
    const level = amplitude(samples, 1000);
    assert.ok(level > 15_500 && level < 17_000, `level ${level}`);
  };
  const at24 = (value: number) => Math.round(value * 8_388_607);
  it('24 bits in 4 bytes are the tone wherever they lie, or refused by name', () => {
    const top = tone(4, (data, value, at) => data.writeInt32LE(at24(value) * 256, at));
    const signed = tone(4, (data, value, at) => data.writeInt32LE(at24(value), at));
    const padded = tone(4, (data, value, at) => data.writeIntLE(at24(value), at, 3));
    for (const data of [top, signed, padded])
      isTone(readWav(raw({ block: 4, bits: 24 }, [['data', data.length, data]])));
    isTone(readWav(raw({ block: 4, bits: 32, valid: 24 }, [['data', top.length, top]])));
    assert.ok(readWav(raw({ block: 4, bits: 24 }, [['data', 400, Buffer.alloc(400)]])).every((sample) => sample === 0));
    const neither = Buffer.from(Array.from({ length: 400 }, (_, n) => (n * 73) % 251));
    assert.throws(() => readWav(raw({ block: 4, bits: 24 }, [['data', 400, neither]])), /can't be told/);
  });
  it('bits that are no whole bytes, and 64-bit float, are read', () => {
    const twelve = tone(2, (data, value, at) => data.writeInt16LE(Math.round(value * 2047) * 16, at));
    isTone(readWav(raw({ block: 2, bits: 12 }, [['data', twelve.length, twelve]])));
    const double = tone(8, (data, value, at) => data.writeDoubleLE(value, at));
    isTone(readWav(raw({ code: 3, block: 8, bits: 64 }, [['data', double.length, double]])));
  });
  it('an empty data chunk is silence of no length, whatever follows', () => {
    const list = Buffer.from('INFOISFT\x0e\0\0\0Lavf58.76.100\0', 'latin1');
    const info: [string, number, Buffer] = ['LIST', list.length, list];
    const none: [string, number, Buffer] = ['data', 0, Buffer.alloc(0)];
    for (const riffSize of [undefined, 0, 0xffffffff])
      assert.equal(readWav(raw({ block: 2, bits: 16 }, [none, info], riffSize)).length, 0);
    assert.equal(readWav(raw({ block: 2, bits: 16 }, [none])).length, 0);
  });
  it('what a killed writer left is heard', () => {
    const data = tone(2, (to, value, at) => to.writeInt16LE(Math.round(value * 32_767), at));
    for (const size of [0, 0xffffffff, data.length + 1000])
      isTone(readWav(raw({ block: 2, bits: 16 }, [['data', size, data]], size === 0 ? 36 : size)));
  });
  it('blocks that can’t hold what they should are refused by name', () => {
    const data: [string, number, Buffer] = ['data', 8, Buffer.from([1, 2, 3, 4, 5, 6, 7, 8])];
    for (const format of [
      ...[
        { block: 1, bits: 16 },
        { block: 3, bits: 16, channels: 2 },
        { block: 2, bits: 0 },
        { block: 40, bits: 16 },
      ],
      ...[
        { block: 2, bits: 16, channels: 2 },
        { block: 2, bits: 8 },
        { block: 2, bits: 8, code: 7 },
      ],
      ...[
        { block: 4, bits: 16, code: 3 },
        { block: 65, bits: 0, code: 49 },
        { block: 512, bits: 4, code: 2 },
      ],
    ])
      assert.throws(() => readWav(raw(format, [data])), AudioFormatError, JSON.stringify(format));
    const strange = raw({ block: 4, bits: 32, valid: 24 }, [data]);
    strange[12 + 8 + 30] = 9;
    assert.throws(() => readWav(strange), /sub-format/);
  });
});

describe('clips', () => {
  it('hold every codec in whole frames, silence at the end', () => {
    const samples = Int16Array.from({ length: 200 }, () => 4000);
    const clip = clipOf(samples);
    assert.equal(clip.frames, 2);
    for (const codec of CODECS) {
      const heard = heardOf(clip, codec);
      assert.ok(Math.abs(heard[199]! - 4000) < 130);
      assert.ok(Math.abs(heard[200]!) < 10);
    }
  });
});

describe('MP3', () => {
  it('a tone comes out with its pitch, level and length', async () => {
    const mp3 = readFileSync(new URL('./fixtures/tone-1000hz.mp3', import.meta.url));
    assert.ok(mp3Start(mp3) >= 0);
    const samples = await readMp3(mp3);
    assert.ok(Math.abs(samples.length - 8000) < 800, `${samples.length}`);
    assert.ok(Math.abs(amplitude(samples.subarray(800, 7200), 1000) - 12_000) < 1000);
  });
  it('is found behind whatever a decoder steps over: tags, zeros, blanks, text, a cut frame', async () => {
    const mp3 = readFileSync(new URL('./fixtures/tone-1000hz.mp3', import.meta.url));
    const frames = mp3.subarray(mp3Start(mp3));
    const tag = Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\x07\x68', 'latin1'), Buffer.alloc(1000)]);
    for (const before of [
      ...[Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(5000), Buffer.from(' \r\n\t'), Buffer.from('\ufeff')],
      ...[frames.subarray(100, 300), frames.subarray(0, 3), Buffer.alloc(3000, 0xff), tag, Buffer.concat([tag, tag])],
      Buffer.concat([tag, Buffer.alloc(2048)]),
    ]) {
      const start = mp3Start(Buffer.concat([before, frames]));
      assert.ok(start >= 0, `${before.length} bytes before`);
      const samples = await readMp3(Buffer.concat([before, frames]).subarray(start));
      assert.ok(Math.abs(samples.length - 8000) < 1000, `${samples.length}`);
      assert.ok(
        Math.abs(amplitude(samples.subarray(1000, 7000), 1000) - 12_000) < 1200,
        `${before.length} bytes before`,
      );
    }
  });
  it('isn’t seen where there is none', () => {
    for (const bytes of [
      ...[Buffer.from('<html>no \xff\xfb here</html>', 'latin1'), Buffer.alloc(0), Buffer.alloc(5_000_000)],
      Buffer.from('ID'),
    ])
      assert.equal(mp3Start(bytes), -1);
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
