/** The peer's re-INVITE: media composes, the edge sends. One offer in flight per leg is a state in the story. */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { type Call, outstandingOf } from './call.ts';

/** What follows from an offer, and from media's answer to it. */
export function renegotiation(call: Call, event: CallEvent): Decided[] {
  switch (event.type) {
    case 'OfferReceived': {
      const { session, offer } = call.legs[event.leg] ?? {};
      const changes = outstandingOf(call, 'SessionChangeRequested', (e) => e.leg === event.leg);
      // Sent again, to an edge that took the leg over while media was at it: that answer will do.
      const isUnderWay = changes.some((e) => e.isOffer && e.sdp === event.sdp);
      if (isUnderWay && offer?.transaction === event.transaction) return [];
      if (!session?.sdp || changes.length > 0)
        return [{ type: 'OfferAnswerRequested', leg: event.leg, sdp: '', status: 491, transaction: event.transaction }];
      const sdpVersion = session.sdpVersion + 1;
      return [{ type: 'SessionChangeRequested', leg: event.leg, sdp: event.sdp, isOffer: true, sdpVersion }];
    }
    case 'SessionChanged':
      return answerOffer(call, event.leg, event.sdp, 200);
    case 'SessionChangeFailed':
      return answerOffer(call, event.leg, '', 488);
    default:
      return [];
  }
}

function answerOffer(call: Call, leg: number, sdp: string, status: number): Decided[] {
  const transaction = call.legs[leg]?.offer?.transaction;
  if (transaction === undefined) return [];
  return [{ type: 'OfferAnswerRequested', leg, sdp, status, transaction }];
}
