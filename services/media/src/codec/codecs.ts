// The codecs that we speak: SDP offers them in this order, and everything else about them derives from here.
import type { Codec } from './codec.ts';
import { PCMA, PCMU } from './g711/g711.ts';

export const CODECS: readonly Codec[] = [PCMU, PCMA];

/** By their static payload types (RFC 3551 6). */
const STATIC: ReadonlyArray<Codec | undefined> = Array.from({ length: 128 }, (_, type) =>
  CODECS.find(({ payloadType }) => payloadType === type),
);

/** What a payload type means where no `a=rtpmap` says otherwise. */
export const staticCodec = (payloadType: number): Codec | undefined => STATIC[payloadType];

export const SAMPLE_BYTES_MAX = Math.max(...CODECS.map(({ sampleBytes }) => sampleBytes));
