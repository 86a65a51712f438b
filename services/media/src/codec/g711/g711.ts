// G.711: PCMU (µ-law) and PCMA (A-law) as tables, over linear 16-bit samples at 8 kHz.
// It refuses nothing: every byte decodes and every sample encodes.
import type { Codec } from '../codec.ts';

function muLawLevel(byte: number): number {
  const bits = ~byte & 0xff;
  const magnitude = ((((bits & 15) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return bits & 0x80 ? -magnitude : magnitude;
}

function aLawLevel(byte: number): number {
  const bits = byte ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 15) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

function decodeTable(level: (byte: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, byte) => level(byte));
}

// Every sample takes the nearest level: one walk over the sorted levels, instead of the bit tricks of a DSP.
function encodeTable(decoded: Int16Array, silence: number): Uint8Array {
  const table = new Uint8Array(65_536);
  const byLevel = Array.from(decoded.keys()).sort((a, b) => decoded[a]! - decoded[b]!);
  let nearest = 0;
  for (let sample = -32_768; sample <= 32_767; sample++) {
    while (
      nearest + 1 < 256 &&
      Math.abs(decoded[byLevel[nearest + 1]!]! - sample) <= Math.abs(decoded[byLevel[nearest]!]! - sample)
    )
      nearest++;
    table[sample & 0xffff] = byLevel[nearest]!;
  }
  // µ-law knows two zeros; all-ones is the one that idle lines carry.
  if (decoded[silence] === 0) table[0] = silence;
  return table;
}

/** The 256 linear values of µ-law and A-law, indexed by byte. */
export const MU_LAW_LEVELS = decodeTable(muLawLevel);
export const A_LAW_LEVELS = decodeTable(aLawLevel);

function g711(name: string, payloadType: number, levels: Int16Array, silence: number): Codec {
  const bytes = encodeTable(levels, silence);
  return {
    ...{ name, payloadType, silence },
    clockRate: 8000,
    frameSamples: 160,
    sampleBytes: 1,
    encode(samples, start, count, target, at) {
      for (let i = 0; i < count; i++) target[at + i] = bytes[samples[start + i]! & 0xffff]!;
    },
    decode(source, start, end, target, at) {
      for (let i = start; i < end; i++) target[at + i - start] = levels[source[i]!]!;
    },
  };
}

export const PCMU = g711('PCMU', 0, MU_LAW_LEVELS, 0xff);
export const PCMA = g711('PCMA', 8, A_LAW_LEVELS, 0xd5);
