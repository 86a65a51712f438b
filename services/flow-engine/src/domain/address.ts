/** Who is asked: every request to a node is addressed here, from what the call knows at that moment. */
import type { Decided, To } from '@opentact/proto/events';
import type { Call } from './call.ts';

/** The kind of node that serves each request; requests that are not listed are answered by the engine itself. */
export const SERVED_BY: Partial<Record<Decided['type'], 'media' | 'notifier' | 'sip-edge'>> = {
  SessionRequested: 'media',
  SessionChangeRequested: 'media',
  ReleaseRequested: 'media',
  PlayRequested: 'media',
  PlayStopRequested: 'media',
  RecordRequested: 'media',
  RecordStopRequested: 'media',
  BridgeRequested: 'media',
  BridgeStopRequested: 'media',
  TranscriptRequested: 'media',
  DocumentRequested: 'notifier',
  RingRequested: 'sip-edge',
  AnswerRequested: 'sip-edge',
  DialRequested: 'sip-edge',
  HangupRequested: 'sip-edge',
  OfferRequested: 'sip-edge',
  OfferAnswerRequested: 'sip-edge',
  AdoptRequested: 'sip-edge',
  LocationRequested: 'sip-edge',
  GroupRequested: 'sip-edge',
};

/** The request with its addressee; unchanged where it has one already or needs none. */
export function address(call: Call, decided: Decided): Decided {
  if (decided.to) return decided;
  const to = addressee(call, decided);
  return to ? { ...decided, to } : decided;
}

function addressee(call: Call, decided: Decided): To | undefined {
  const kind = SERVED_BY[decided.type];
  if (!kind) return undefined;
  if (kind === 'notifier') return call.notifier;
  const leg = 'leg' in decided ? call.legs[decided.leg] : undefined;
  if (kind === 'sip-edge') return leg?.edge ?? call.edge;
  // A recording outlives its session.
  if (decided.type === 'TranscriptRequested') return call.media;
  if (decided.type === 'BridgeRequested') return call.legs[decided.legA]?.session?.node;
  if (decided.type === 'BridgeStopRequested') return call.outstanding[decided.bridge]?.to;
  // A bridge takes both legs to one node, so every leg's session opens where the caller's is.
  if (decided.type === 'SessionRequested') return call.legs[0]?.session?.node ?? call.media;
  return leg?.session?.node;
}
