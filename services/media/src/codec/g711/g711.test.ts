import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeAll } from '../codec.ts';
import { A_LAW_LEVELS, MU_LAW_LEVELS, PCMA, PCMU } from './g711.ts';

describe('G.711', () => {
  for (const [codec, levels] of [
    [PCMU, MU_LAW_LEVELS],
    [PCMA, A_LAW_LEVELS],
  ] as const)
    it(`${codec.name}: every byte comes back from its own level`, () => {
      for (let byte = 0; byte < 256; byte++) {
        const again = encodeAll(codec, Int16Array.of(levels[byte]!))[0]!;
        assert.equal(levels[again], levels[byte]);
      }
    });
  it('known points of the recommendation decode as printed there', () => {
    assert.equal(MU_LAW_LEVELS[0x80], 32_124);
    assert.equal(MU_LAW_LEVELS[0x00], -32_124);
    assert.equal(A_LAW_LEVELS[0xaa], 32_256);
    assert.equal(A_LAW_LEVELS[0x2a], -32_256);
  });
  it('idle lines carry all-ones in µ-law and 0xd5 in A-law', () => {
    assert.deepEqual([PCMU.silence, PCMA.silence], [0xff, 0xd5]);
  });
});
