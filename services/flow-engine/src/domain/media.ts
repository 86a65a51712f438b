/** What we ask once media has described itself: our 200 with its answer, and the peer's answer taken. */
import type { Decided } from '@opentact/proto/events';
import type { Call } from './call.ts';

/** Media takes the peer's answer to our offer; nothing while its session is moving (the peer is asked again then). */
export function acceptAnswer(call: Call, leg: number, sdp: string): Decided[] {
  const session = call.legs[leg]?.session;
  if (!session) return [];
  return [{ type: 'SessionChangeRequested', leg, sdp, isOffer: false, sdpVersion: session.sdpVersion }];
}

/** The caller hears us before the answer (183); one whose INVITE brought no offer can't, and is answered. */
export function soundEarly(call: Call): Decided[] {
  const leg = call.legs[0];
  if (leg?.state !== 'arrived' || !leg.session?.sdp || call.ending) return [];
  return call.offer ? [{ type: 'RingRequested', leg: 0, sdp: leg.session.sdp }] : answer(call);
}

/** Answers the caller once media is there; nothing while it isn't or while the answer is under way. */
export function answer(call: Call): Decided[] {
  const leg = call.legs[0];
  if (leg?.state !== 'arrived' || !leg.session?.sdp || call.ending) return [];
  return [{ type: 'AnswerRequested', leg: 0, sdp: leg.session.sdp }];
}
