// WAV files to mono samples: PCM of 8, 16, 24 or 32 bits, 32-bit float, and both G.711 laws; one or two channels.
// It refuses compressed formats, more than ten minutes, and files whose header doesn't add up.
import { decodingOf } from '../codec/g711.ts';
import { canResample, toEightKilohertz } from '../dsp/resample.ts';

export const AUDIO_SECONDS_MAX = 600;

/** Why audio can't be had; the reason travels in `PlayFailed.detail`. */
export class AudioFormatError extends Error {
  override name = 'AudioFormatError';
}

const PCM = 1;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;

type Format = { code: number; channels: number; rate: number; bits: number };

export function looksLikeWav(bytes: Buffer): boolean {
  return bytes.length >= 12 && bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WAVE';
}

/** 8 kHz mono samples of a WAV file. @throws AudioFormatError */
export function readWav(bytes: Buffer): Int16Array {
  const { format, data } = chunksOf(bytes);
  const frameBytes = (format.bits / 8) * format.channels;
  const frames = Math.floor(data.length / frameBytes);
  if (frames > format.rate * AUDIO_SECONDS_MAX) throw new AudioFormatError('longer than ten minutes');
  const sample = sampleReader(format, data);
  const mono = new Float32Array(frames);
  for (let n = 0; n < frames; n++) {
    const at = n * frameBytes;
    mono[n] = format.channels === 1 ? sample(at) : (sample(at) + sample(at + format.bits / 8)) / 2;
  }
  return toEightKilohertz(mono, format.rate);
}

function chunksOf(bytes: Buffer): { format: Format; data: Buffer } {
  if (!looksLikeWav(bytes)) throw new AudioFormatError('not a WAV file');
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (name === 'fmt ') format = readFormat(bytes.subarray(start, start + size));
    // A writer that was killed leaves a size of 0 or too large: what is there counts.
    if (name === 'data' && format)
      return { format, data: bytes.subarray(start, size === 0 ? bytes.length : Math.min(bytes.length, start + size)) };
    at = start + size + (size & 1);
  }
  throw new AudioFormatError('no audio in the WAV file');
}

function readFormat(chunk: Buffer): Format {
  if (chunk.length < 16) throw new AudioFormatError('format chunk too short');
  const code = chunk.readUInt16LE(0);
  const format = {
    code: code === EXTENSIBLE && chunk.length >= 26 ? chunk.readUInt16LE(24) : code,
    channels: chunk.readUInt16LE(2),
    rate: chunk.readUInt32LE(4),
    bits: chunk.readUInt16LE(14),
  };
  if (format.channels < 1 || format.channels > 2) throw new AudioFormatError(`${format.channels} channels`);
  if (!canResample(format.rate)) throw new AudioFormatError(`${format.rate} Hz`);
  return format;
}

/** A function from byte offset to a sample of -1 … 1. */
function sampleReader({ code, bits }: Format, data: Buffer): (at: number) => number {
  if ((code === MU_LAW || code === A_LAW) && bits === 8) {
    const table = decodingOf(code === MU_LAW ? 'PCMU' : 'PCMA');
    return (at) => table[data[at]!]! / 32_768;
  }
  if (code === PCM && bits === 8) return (at) => (data[at]! - 128) / 128;
  if (code === PCM && bits === 16) return (at) => data.readInt16LE(at) / 32_768;
  if (code === PCM && bits === 24) return (at) => data.readIntLE(at, 3) / 8_388_608;
  if (code === PCM && bits === 32) return (at) => data.readInt32LE(at) / 2_147_483_648;
  if (code === FLOAT && bits === 32) return (at) => Math.max(-1, Math.min(1, data.readFloatLE(at) || 0));
  throw new AudioFormatError(`WAV format ${code} with ${bits} bits`);
}
