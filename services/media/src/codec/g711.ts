// G.711: both companding laws as tables, over linear 16-bit samples at 8 kHz.
// It refuses nothing: every byte decodes and every sample encodes.

export type Law = 'PCMU' | 'PCMA';

/** The byte that sounds like nothing, per law. */
export const SILENCE: Record<Law, number> = { PCMU: 0xff, PCMA: 0xd5 };

/** Static payload types, RFC 3551 section 6. */
export const STATIC_PAYLOAD_TYPE: Record<Law, number> = { PCMU: 0, PCMA: 8 };

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

const DECODE: Record<Law, Int16Array> = { PCMU: decodeTable(muLawLevel), PCMA: decodeTable(aLawLevel) };
const ENCODE: Record<Law, Uint8Array> = {
  PCMU: encodeTable(DECODE.PCMU, SILENCE.PCMU),
  PCMA: encodeTable(DECODE.PCMA, SILENCE.PCMA),
};

/** The 256 linear values of a law, indexed by byte. */
export function decodingOf(law: Law): Int16Array {
  return DECODE[law];
}

/** Writes `count` bytes of `law` into `target` at `targetStart`. The caller owns both buffers. */
export function encodeInto(
  law: Law,
  samples: Int16Array,
  start: number,
  count: number,
  target: Uint8Array,
  targetStart: number,
): void {
  const table = ENCODE[law];
  for (let i = 0; i < count; i++) target[targetStart + i] = table[samples[start + i]! & 0xffff]!;
}

/** Whole buffers, for prompts and tests; never in the paced loop. */
export function encode(law: Law, samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length);
  encodeInto(law, samples, 0, samples.length, bytes, 0);
  return bytes;
}

export function decode(law: Law, bytes: Uint8Array): Int16Array {
  const table = DECODE[law];
  return Int16Array.from(bytes, (byte) => table[byte]!);
}
