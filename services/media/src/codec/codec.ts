// How audio is carried in RTP. Inside, all audio is linear, 16 bits, 8 kHz; a codec is how it looks on the wire.

/**
 * One codec, a row of `codecs.ts`. It remembers nothing: what a sample becomes depends on that sample alone. None of its
 * functions makes an object; the caller owns all buffers.
 */
export type Codec = {
  /** As `a=rtpmap` names it, in capitals. */
  readonly name: string;
  /** Its static payload type (RFC 3551 6); absent: an offer of ours gives it one of 96 to 127. */
  readonly payloadType?: number;
  /** Of its RTP timestamps, Hz. Jitter buffer, reports and outgoing streams count in it. */
  readonly clockRate: 8000;
  /** 20 ms at that clock. */
  readonly frameSamples: 160;
  /** What a sample takes on the wire. */
  readonly sampleBytes: number;
  /** The byte that sounds like nothing, however often it stands. */
  readonly silence: number;
  /** Writes `count` samples of `samples`, from `start` on, into `target` at `at`. */
  encode(samples: Int16Array, start: number, count: number, target: Uint8Array, at: number): void;
  /** Writes the samples that stand in `bytes` from `start` up to `end` into `target` at `at`. */
  decode(bytes: Uint8Array, start: number, end: number, target: Int16Array, at: number): void;
};

/** Whole buffers, for prompts and tests; never in the paced loop. */
export function encodeAll(codec: Codec, samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length * codec.sampleBytes);
  codec.encode(samples, 0, samples.length, bytes, 0);
  return bytes;
}

export function decodeAll(codec: Codec, bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(Math.floor(bytes.length / codec.sampleBytes));
  codec.decode(bytes, 0, samples.length * codec.sampleBytes, samples, 0);
  return samples;
}
