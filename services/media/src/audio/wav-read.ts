// WAV files to mono samples: PCM of 8 to 32 bits, 32 and 64-bit float, and both G.711 laws; one or two channels.
// It refuses compressed formats, more than ten minutes, and files whose header doesn't add up.
import { toEightKilohertz } from '../dsp/resample.ts';
import { AudioFormatError, readFormat, sampleReader, type WavFormat } from './wav-format.ts';

export { AudioFormatError };

export const AUDIO_SECONDS_MAX = 600;

export function looksLikeWav(bytes: Buffer): boolean {
  return bytes.length >= 12 && bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WAVE';
}

/** 8 kHz mono samples of a WAV file; none where it holds none. @throws AudioFormatError */
export function readWav(bytes: Buffer): Int16Array {
  const { format, data } = chunksOf(bytes);
  const frameBytes = format.containerBytes * format.channels;
  const frames = Math.floor(data.length / frameBytes);
  if (frames > format.rate * AUDIO_SECONDS_MAX) throw new AudioFormatError('longer than ten minutes');
  const sample = sampleReader(format, data);
  if (frames === 0) return new Int16Array(0);
  const mono = new Float32Array(frames);
  for (let n = 0; n < frames; n++) {
    const at = n * frameBytes;
    mono[n] = format.channels === 1 ? sample(at) : (sample(at) + sample(at + format.containerBytes)) / 2;
  }
  return toEightKilohertz(mono, format.rate);
}

function chunksOf(bytes: Buffer): { format: WavFormat; data: Buffer } {
  if (!looksLikeWav(bytes)) throw new AudioFormatError('not a WAV file');
  let format: WavFormat | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (name === 'fmt ') format = readFormat(bytes.subarray(start, start + size));
    if (name === 'data' && format) return { format, data: bytes.subarray(start, endOfData(bytes, start, size)) };
    at = start + size + (size & 1);
  }
  throw new AudioFormatError('no audio in the WAV file');
}

/**
 * A writer that was killed leaves a size of 0 or too large: what is there counts. Where the file's own length was written
 * in the end, or chunks follow to its last byte, an empty chunk is meant to be empty.
 */
function endOfData(bytes: Buffer, start: number, size: number): number {
  if (size > 0) return Math.min(bytes.length, start + size);
  const isFinished = Math.abs(bytes.readUInt32LE(4) + 8 - bytes.length) <= 1;
  return isFinished || endsInChunks(bytes, start) ? start : bytes.length;
}

function endsInChunks(bytes: Buffer, from: number): boolean {
  let at = from;
  while (at + 8 <= bytes.length) {
    for (let n = at; n < at + 4; n++) if (bytes[n]! < 0x20 || bytes[n]! > 0x7e) return false;
    const size = bytes.readUInt32LE(at + 4);
    at += 8 + size + (size & 1);
  }
  return at === bytes.length || at === bytes.length + 1;
}
