/** The peer's re-INVITE: media composes, the edge sends. One offer in flight per leg is a state in the story. */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { type Call, outstandingOf, type Session } from './call.ts';
import { hangup } from './performer.ts';

/** What follows from an offer, and from media's answer to it. */
export function renegotiation(call: Call, event: CallEvent): Decided[] {
  switch (event.type) {
    case 'OfferReceived': {
      const { session, offer } = call.legs[event.leg] ?? {};
      const changes = outstandingOf(call, 'SessionChangeRequested', (e) => e.leg === event.leg);
      // Sent again, to an edge that took the leg over while media was at it: that answer will do.
      const isUnderWay = changes.some((e) => e.isOffer && e.sdp === event.sdp);
      if (isUnderWay && offer?.transaction === event.transaction) return [];
      // Media still takes the answer to our own offer, which the peer thinks settled (RFC 3261 14.2): its offer is next.
      const isNext = offer?.transaction === event.transaction && changes.every((e) => !e.isOffer);
      if (session?.sdp && changes.length > 0 && isNext) return [];
      if (!session?.sdp || changes.length > 0)
        return [{ type: 'OfferAnswerRequested', leg: event.leg, sdp: '', status: 491, transaction: event.transaction }];
      return change(session, event.leg, event.sdp);
    }
    case 'SessionChanged': {
      const { session, offer } = call.legs[event.leg] ?? {};
      if (!tookAnswer(call)) return answerOffer(call, event.leg, event.sdp, 200);
      return session && offer ? change(session, event.leg, offer.sdp) : [];
    }
    case 'SessionChangeFailed': {
      const refused = answerOffer(call, event.leg, '', 488);
      // The caller's answer to our offer can't be used: nothing would ever be heard (RFC 3261 13.2.1).
      const isDeaf = event.leg === 0 && tookAnswer(call) && !call.outbound && !call.ending;
      return isDeaf ? [...refused, hangup('caller', event.reason, 88)] : refused;
    }
    default:
      return [];
  }
}

function change(session: Session, leg: number, sdp: string): Decided[] {
  return [{ type: 'SessionChangeRequested', leg, sdp, isOffer: true, sdpVersion: session.sdpVersion + 1 }];
}

/** Was it the peer's answer that media took or refused, not an offer of its own? */
const tookAnswer = (call: Call) =>
  call.answered.some((request) => request.type === 'SessionChangeRequested' && !request.isOffer);

function answerOffer(call: Call, leg: number, sdp: string, status: number): Decided[] {
  const transaction = call.legs[leg]?.offer?.transaction;
  if (transaction === undefined) return [];
  return [{ type: 'OfferAnswerRequested', leg, sdp, status, transaction }];
}
