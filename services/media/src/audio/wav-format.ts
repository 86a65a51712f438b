// What the format chunk of a WAV file says of its samples, and how one is read.
// It refuses what doesn't add up, by name: a header that is believed all the same is heard as noise.
import { A_LAW_LEVELS, MU_LAW_LEVELS } from '../codec/g711/g711.ts';
import { canResample } from '../dsp/resample.ts';

/** Why audio can't be had; the reason travels in `PlayFailed.detail`. */
export class AudioFormatError extends Error {
  override name = 'AudioFormatError';
}

const PCM = 1;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;
/** The rest of a sub-format's GUID behind the two bytes of its code. */
const GUID = Buffer.from('000000001000800000aa00389b71', 'hex');

/** `containerBytes`: the room of one sample of one channel, which may be more than its bits. */
export type WavFormat = { code: number; channels: number; rate: number; bits: number; containerBytes: number };

/** @throws AudioFormatError */
export function readFormat(chunk: Buffer): WavFormat {
  if (chunk.length < 16) throw new AudioFormatError('format chunk too short');
  const channels = chunk.readUInt16LE(2);
  const rate = chunk.readUInt32LE(4);
  const bits = chunk.readUInt16LE(14);
  const code = codeOf(chunk);
  if (channels < 1 || channels > 2) throw new AudioFormatError(`${channels} channels`);
  if (!canResample(rate)) throw new AudioFormatError(`${rate} Hz can't be brought to 8 kHz`);
  // Some writers leave it empty.
  const blockBytes = chunk.readUInt16LE(12) || channels * Math.ceil(bits / 8);
  const containerBytes = blockBytes / channels;
  if (bits === 0 || !Number.isInteger(containerBytes) || containerBytes * 8 < bits || containerBytes > 8)
    throw new AudioFormatError(`blocks of ${blockBytes} bytes for ${channels} channels of ${bits} bits`);
  return { code, channels, rate, bits, containerBytes };
}

function codeOf(chunk: Buffer): number {
  const code = chunk.readUInt16LE(0);
  if (code !== EXTENSIBLE) return code;
  if (chunk.length < 40 || !chunk.subarray(26, 40).equals(GUID))
    throw new AudioFormatError('WAV of an unknown sub-format');
  return chunk.readUInt16LE(24);
}

/** A function from byte offset to a sample of -1 … 1. @throws AudioFormatError where this format isn't read */
export function sampleReader(format: WavFormat, data: Buffer): (at: number) => number {
  const { code, bits, containerBytes } = format;
  if ((code === MU_LAW || code === A_LAW) && bits === 8 && containerBytes === 1) {
    const table = code === MU_LAW ? MU_LAW_LEVELS : A_LAW_LEVELS;
    return (at) => table[data[at]!]! / 32_768;
  }
  if (code === FLOAT && bits === 32 && containerBytes === 4) return (at) => bounded(data.readFloatLE(at));
  if (code === FLOAT && bits === 64 && containerBytes === 8) return (at) => bounded(data.readDoubleLE(at));
  if (code !== PCM || bits > 32) throw new AudioFormatError(`WAV format ${code} with ${bits} bits`);
  const bytes = Math.ceil(bits / 8);
  if (bytes === 1 && containerBytes === 1) return (at) => (data[at]! - 128) / 128;
  if (bytes === 1 || containerBytes > 4)
    throw new AudioFormatError(`${bits} bits in ${containerBytes} bytes of a WAV file`);
  // Bits that aren't whole bytes lie at the top of them, by the format's own definition.
  const start = bytes === containerBytes ? 0 : placeOf(data, bytes, containerBytes);
  const full = 2 ** (8 * bytes - 1);
  return (at) => data.readIntLE(at + start, bytes) / full;
}

const bounded = (sample: number) => Math.max(-1, Math.min(1, sample || 0));

/**
 * Where in its container a sample of `bytes` lies: at the top as the format has it, or at the bottom as some devices
 * write it. What the other bytes hold tells: nothing, or the sign.
 */
function placeOf(data: Buffer, bytes: number, containerBytes: number): number {
  let [isTop, isBottom, isSigned, isSilent] = [true, true, true, true];
  for (let at = 0; at + containerBytes <= data.length; at += containerBytes) {
    const sign = data[at + bytes - 1]! & 0x80 ? 0xff : 0;
    for (let n = 0; n < containerBytes; n++) {
      const byte = data[at + n]!;
      if (byte !== 0) isSilent = false;
      if (n < containerBytes - bytes && byte !== 0) isTop = false;
      if (n >= bytes && byte !== 0) isBottom = false;
      if (n >= bytes && byte !== sign) isSigned = false;
    }
  }
  if (isSilent || (isTop && !isBottom && !isSigned)) return containerBytes - bytes;
  if (!isTop && (isBottom || isSigned)) return 0;
  throw new AudioFormatError(`which ${bytes} of ${containerBytes} bytes hold a sample of the WAV file can't be told`);
}
