// MP3 to 8 kHz mono through mpg123 in WebAssembly. It runs in a thread that paces nothing.
// It refuses what decodes to silence of no length, and more than ten minutes.
import { MPEGDecoder } from 'mpg123-decoder';
import { canResample, toEightKilohertz } from '../dsp/resample.ts';
import { findMp3 } from './mp3-start.ts';
import { AUDIO_SECONDS_MAX, AudioFormatError } from './wav-read.ts';

/**
 * Where MP3 audio begins, perhaps behind tags, padding or a cut frame; -1: nowhere. A tag, or the eleven set bits of a frame,
 * at the very beginning are left to the decoder, which knows frames of free length too.
 */
export function mp3Start(bytes: Buffer): number {
  const found = findMp3(bytes);
  if (found >= 0 || bytes.length < 4) return found;
  const isLikely = bytes.toString('latin1', 0, 3) === 'ID3' || (bytes[0] === 0xff && (bytes[1]! & 0xe0) === 0xe0);
  return isLikely ? 0 : -1;
}

/** Decoded piece by piece, so that a small file of many hours is refused before it fills the memory. */
const PIECE_BYTES = 65_536;

/** 8 kHz mono samples of an MP3 file. @throws AudioFormatError */
export async function readMp3(bytes: Buffer): Promise<Int16Array> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const pieces: Float32Array[] = [];
    let length = 0;
    let rate = 0;
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const { channelData, samplesDecoded, sampleRate } = decoder.decode(bytes.subarray(at, at + PIECE_BYTES));
      const [left, right] = channelData;
      if (samplesDecoded === 0 || !left) continue;
      rate ||= sampleRate;
      length += samplesDecoded;
      if (length > rate * AUDIO_SECONDS_MAX) throw new AudioFormatError('longer than ten minutes');
      pieces.push(mono(left, right ?? left, samplesDecoded));
    }
    if (length === 0 || !canResample(rate)) throw new AudioFormatError('no MP3 audio');
    return toEightKilohertz(join(pieces, length), rate);
  } finally {
    decoder.free();
  }
}

function mono(left: Float32Array, right: Float32Array, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, n) => (left[n]! + right[n]!) / 2);
}

function join(pieces: Float32Array[], length: number): Float32Array {
  const whole = new Float32Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
