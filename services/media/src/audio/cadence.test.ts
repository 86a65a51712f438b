import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeAll } from '../codec/codec.ts';
import { CODECS } from '../codec/codecs.ts';
import { PCMU } from '../codec/g711/g711.ts';
import { soundsIn, tonesIn } from '../peer/index.ts';
import { Playback } from '../session/playback.ts';
import { cadenceClip, cadenceTimes, type TonePattern, withoutSeam } from './cadence.ts';

const pattern = (hz: number[], onMs: number, offMs: number, cycles = 1, volumeDb = -13): TonePattern => ({
  ...{ hz, onMs, offMs, cycles, volumeDb },
});

/** What a phone hears of a play of it, for `ms` at most. */
function played(tone: TonePattern, { codec = PCMU, loop = 1, ms = 60_000 } = {}): Int16Array {
  const { items, loop: rounds } = withoutSeam({ items: [{ kind: 'pattern' as const, value: tone }], loop });
  const [item] = items;
  assert.ok(item?.kind === 'pattern');
  const times = cadenceTimes(item.value);
  const playback = new Playback(1, rounds, 1);
  playback.supply(0, { kind: 'cadence', cadence: { ...times, clip: cadenceClip(item.value, times.on) } });
  const packet = Buffer.alloc(codec.frameSamples * codec.sampleBytes);
  const frames: Int16Array[] = [];
  while (frames.length * 20 < ms) {
    playback.next(codec, packet, 0, 1);
    if (playback.ended) break;
    frames.push(decodeAll(codec, packet));
  }
  return Int16Array.from(frames.flatMap((frame) => [...frame]));
}

function assertTones(sound: Int16Array, hz: number[]): void {
  const found = tonesIn(sound);
  assert.equal(found.length, hz.length, `${hz}: ${JSON.stringify(found)}`);
  for (const [n, one] of hz.entries()) assert.ok(Math.abs(found[n]!.hz - one) <= one / 100, `${one}: ${found[n]!.hz}`);
}

describe('tones on and off', () => {
  const KNOWN = {
    dial: pattern([350, 440], 3000, 0),
    ringing: pattern([440, 480], 2000, 4000, 2),
    busy: pattern([480, 620], 500, 500, 4),
    reorder: pattern([480, 620], 250, 250, 4),
    'off hook': pattern([1400, 2060, 2450, 2600], 100, 100, 6),
    stutter: pattern([350, 440], 103, 97, 5),
  };
  for (const [name, tone] of Object.entries(KNOWN))
    for (const codec of CODECS)
      it(`the ${name} tone of North America is heard as it is, in ${codec.name}`, () => {
        const heard = played(tone, { codec });
        const sounds = soundsIn(heard);
        assert.equal(sounds.length, tone.offMs === 0 ? 1 : tone.cycles);
        for (const [n, { fromMs, toMs }] of sounds.entries()) {
          const from = n * (tone.onMs + tone.offMs);
          // To the sample, as far as an ear of 2 ms can tell.
          assert.ok(Math.abs(fromMs - from) <= 2 && Math.abs(toMs - from - tone.onMs) <= 2, `${n}: ${fromMs}-${toMs}`);
          assertTones(heard.subarray(fromMs * 8, toMs * 8), tone.hz);
        }
        const lengthMs = (tone.onMs + tone.offMs) * tone.cycles;
        assert.equal(heard.length / 8, Math.ceil(lengthMs / 20) * 20);
      });

  it('its volume is that of the whole, and the loudest does not clip', () => {
    for (const [volumeDb, peak] of [
      [0, 32_124],
      [-13, 7192],
      [-40, 321],
    ] as const)
      for (const hz of [[1000], [440, 480], [500, 1000, 1500, 2000]]) {
        const heard = played(pattern(hz, 1000, 0, 1, volumeDb));
        const most = heard.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
        assert.ok(most <= peak * 1.04, `${hz} at ${volumeDb} dB: ${most}`);
        assertTones(heard, hz);
        const [first] = tonesIn(heard);
        assert.ok(Math.abs(first!.db - 20 * Math.log10(peak / 32_768 / hz.length)) < 0.7, `${first!.db} dB`);
      }
  });

  it('nothing clicks: it begins and ends softly, and a second has no seam', () => {
    const heard = played(pattern([440], 2345, 100, 2, -6));
    const steepest = 2 * Math.PI * (440 / 8000) * 16_200;
    for (let n = 1; n < heard.length; n++) assert.ok(Math.abs(heard[n]! - heard[n - 1]!) < 1.15 * steepest, `at ${n}`);
    assert.ok(Math.abs(heard[0]!) < 200 && Math.abs(heard[2345 * 8 - 1]!) < 800);
  });

  it('alone in a play that is repeated it has no seam either, and without a pause it goes on as one tone', () => {
    const beep = played(pattern([1000], 30, 37), { loop: 20 });
    assert.equal(soundsIn(beep).length, 20);
    assert.ok(Math.abs(soundsIn(beep)[19]!.fromMs - 19 * 67) <= 2);
    const tone = played(pattern([441], 333, 0, 3), { loop: 0, ms: 5000 });
    assert.equal(tone.length / 8, 5000);
    for (let ms = 100; ms < 4900; ms += 100) {
      const piece = tone.subarray((ms - 20) * 8, (ms + 20) * 8);
      const most = piece.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
      assert.ok(most > 6500, `${most} at ${ms} ms`);
    }
  });

  it('hours of it take no more memory than a second', () => {
    const { on } = cadenceTimes(pattern([440, 480], 60_000, 0, 1000));
    assert.equal(on, 60_000 * 1000 * 8);
    assert.equal(cadenceClip(pattern([440, 480], 60_000, 0, 1000), on).frames, 51);
  });

  it('what is no tone is refused', () => {
    for (const wrong of [
      pattern([], 100, 100),
      pattern(
        [1, 2, 3, 4, 5].map((n) => 300 * n),
        100,
        100,
      ),
      pattern([4000], 100, 100),
      pattern([19], 100, 100),
      pattern([440], 0, 100),
      pattern([440], 100, 100, 0),
      pattern([440], 100, 100, 1, 1),
    ])
      assert.throws(() => cadenceTimes(wrong), Error, JSON.stringify(wrong));
  });
});
