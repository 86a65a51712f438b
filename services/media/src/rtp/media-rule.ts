// Whom a leg's media may be exchanged with, by what is known beside its SDP: the signalling source, the ranges of its
// trunk, the operator's allow list. It refuses nothing itself; entries that are no address or block are left out.

import type { MediaPeer } from '@opentact/proto/events';
import { type Allowed, isListedAddress, isPublicAddress, parseAllowList } from '@opentact/runtime';

/** `known`: of the signalling source, its trunk or the allow list. `public`: anybody's. `closed`: not an SDP's to name. */
export type Standing = 'known' | 'public' | 'closed';

/** What the operator lets an SDP name. */
export type Beyond = {
  /** OPENTACT_DIAL_ALLOW; an entry with a port allows that port alone. */
  allowed: readonly Allowed[];
  /** Default: `isPublicAddress`; tests have no public address. */
  isPublic?(address: string): boolean;
};

export class MediaRule {
  /** The first valid source is believed whatever its address. */
  readonly fromAnywhere: boolean;
  private readonly own: readonly Allowed[];
  private readonly beyond: Beyond;

  constructor(peer: MediaPeer | undefined, beyond: Beyond) {
    this.fromAnywhere = peer?.fromAnywhere ?? false;
    this.own = [peer?.signallingAddress ?? '', ...(peer?.ranges ?? [])].flatMap(blockOf);
    this.beyond = beyond;
  }

  /** What an address and port is to this leg. */
  standing(address: string, port: number): Standing {
    if (this.isOwn(address) || isListedAddress(this.beyond.allowed, address, port)) return 'known';
    return (this.beyond.isPublic ?? isPublicAddress)(address) ? 'public' : 'closed';
  }

  /** Of the signalling source or its trunk. */
  isOwn(address: string): boolean {
    return isListedAddress(this.own, address, 0);
  }
}

/** A signalling address or range without a port: RTP comes from any. */
function blockOf(text: string): Allowed[] {
  try {
    return parseAllowList(text).map((entry) => ({ ...entry, port: undefined }));
  } catch {
    return [];
  }
}

/** The same address in whatever way either is written. */
export function isSameAddress(a: string, b: string): boolean {
  return a === b || isListedAddress(blockOf(a), b, 0);
}
