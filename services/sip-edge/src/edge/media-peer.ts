// Where a leg's media may come from, as its signalling and the Directory tell: an SDP alone proves nothing about the
// address that it names.

import type { FactOf } from '@opentact/proto';
import type { MediaSources } from './port.ts';

export type MediaPeer = NonNullable<FactOf<'CallArrived'>['media']>;

/** `address`: IP that the leg's SIP messages come from. `sources`: what the Directory says of its trunk or connection. */
export function mediaPeerOf(address: string, sources: MediaSources | undefined): MediaPeer {
  return {
    signallingAddress: address,
    ranges: [...(sources?.ranges ?? [])],
    fromAnywhere: sources?.fromAnywhere ?? false,
  };
}
