// A clip is audio ready to be sent: whole frames by every codec of ours, in memory that all threads share.
// It refuses to be changed once made.
import { type Codec, decodeAll } from '../codec/codec.ts';
import { CODECS } from '../codec/codecs.ts';
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';

/** `encoded`: its frames by the name of each codec. The buffers are shared between threads, never copied. */
export type Clip = { frames: number; encoded: Record<string, SharedArrayBuffer> };

function encoded(codec: Codec, samples: Int16Array, frames: number): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(frames * SAMPLES_PER_FRAME * codec.sampleBytes);
  const bytes = new Uint8Array(shared);
  codec.encode(samples, 0, samples.length, bytes, 0);
  bytes.fill(codec.silence, samples.length * codec.sampleBytes);
  return shared;
}

/** Encodes 8 kHz samples once; the last frame is filled up with silence. */
export function clipOf(samples: Int16Array): Clip {
  const frames = Math.ceil(samples.length / SAMPLES_PER_FRAME);
  return { frames, encoded: Object.fromEntries(CODECS.map((codec) => [codec.name, encoded(codec, samples, frames)])) };
}

/** What whoever is sent it by this codec hears. */
export const heardOf = (clip: Clip, codec: Codec): Int16Array =>
  decodeAll(codec, new Uint8Array(clip.encoded[codec.name]!));

export const clipBytes = (clip: Clip): number =>
  Object.values(clip.encoded).reduce((sum, { byteLength }) => sum + byteLength, 0);
