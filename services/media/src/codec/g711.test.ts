import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, decodingOf, encode, type Law, SILENCE } from './g711.ts';

describe('G.711', () => {
  for (const law of ['PCMU', 'PCMA'] as Law[]) {
    it(`${law}: every byte comes back from its own level`, () => {
      const levels = decodingOf(law);
      for (let byte = 0; byte < 256; byte++) {
        const again = encode(law, Int16Array.of(levels[byte]!))[0]!;
        assert.equal(levels[again], levels[byte]);
      }
    });
    it(`${law}: a sine keeps 35 dB of signal to noise`, () => {
      const sine = Int16Array.from({ length: 8000 }, (_, n) => 12_000 * Math.sin((2 * Math.PI * 440 * n) / 8000));
      const heard = decode(law, encode(law, sine));
      let signal = 0;
      let noise = 0;
      for (let n = 0; n < sine.length; n++) {
        signal += sine[n]! ** 2;
        noise += (sine[n]! - heard[n]!) ** 2;
      }
      assert.ok(10 * Math.log10(signal / noise) > 35);
    });
  }
  it('silence encodes to the idle byte of each law', () => {
    assert.equal(encode('PCMU', Int16Array.of(0))[0], SILENCE.PCMU);
    assert.equal(encode('PCMA', Int16Array.of(0))[0], SILENCE.PCMA);
  });
  it('known points of the recommendation decode as printed there', () => {
    assert.equal(decodingOf('PCMU')[0x80], 32_124);
    assert.equal(decodingOf('PCMU')[0x00], -32_124);
    assert.equal(decodingOf('PCMA')[0xaa], 32_256);
    assert.equal(decodingOf('PCMA')[0x2a], -32_256);
  });
});
