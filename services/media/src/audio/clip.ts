// A clip is audio ready to be sent: both laws, whole frames, in memory that all threads share.
// It refuses to be changed once made.
import { encodeInto, type Law, SILENCE } from '../codec/g711.ts';
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';

/** `frames` times 160 bytes per law. The buffers are shared between threads, never copied. */
export type Clip = { frames: number; PCMU: SharedArrayBuffer; PCMA: SharedArrayBuffer };

function encoded(law: Law, samples: Int16Array, frames: number): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(frames * SAMPLES_PER_FRAME);
  const bytes = new Uint8Array(shared);
  encodeInto(law, samples, 0, samples.length, bytes, 0);
  bytes.fill(SILENCE[law], samples.length);
  return shared;
}

/** Encodes 8 kHz samples once; the last frame is filled up with silence. */
export function clipOf(samples: Int16Array): Clip {
  const frames = Math.ceil(samples.length / SAMPLES_PER_FRAME);
  return { frames, PCMU: encoded('PCMU', samples, frames), PCMA: encoded('PCMA', samples, frames) };
}

export function clipBytes(clip: Clip): number {
  return 2 * clip.frames * SAMPLES_PER_FRAME;
}
