/** Who is asked: every request to a node is addressed here, from what the call knows at that moment. */
import type { Decided, To } from '@opentact/proto/events';
import { helperOf, rowOf } from '@opentact/proto/requests';
import type { Call, Leg } from './call.ts';
import { withMediaPeer } from './media-peer.ts';

/** The request with its addressee, and with what that needs to know; unchanged where it has one already or needs none. */
export function address(call: Call, decided: Decided): Decided {
  const told = withMediaPeer(call, decided);
  if (told.to) return told;
  const to = addressee(call, told);
  return to ? { ...told, to } : told;
}

function addressee(call: Call, decided: Decided): To | undefined {
  const leg = 'leg' in decided ? call.legs[decided.leg] : undefined;
  switch (rowOf(decided.type)?.servedBy) {
    case 'sip-edge':
      return leg?.edge ?? call.edge;
    case 'media':
      return mediaOf(call, decided, leg);
    default: {
      const helper = helperOf(decided.type);
      return helper && call[helper];
    }
  }
}

function mediaOf(call: Call, decided: Decided, leg: Leg | undefined): To | undefined {
  // A recording outlives its session.
  if (decided.type === 'TranscriptRequested') return call.media;
  if (decided.type === 'BridgeRequested') return call.legs[decided.legA]?.session?.node;
  if (decided.type === 'BridgeStopRequested') return call.outstanding[decided.bridge]?.to;
  // A bridge takes both legs to one node, so every leg's session opens where the caller's is.
  if (decided.type === 'SessionRequested') return call.legs[0]?.session?.node ?? call.media;
  return leg?.session?.node;
}
