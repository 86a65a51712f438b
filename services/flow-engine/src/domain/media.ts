/** What we ask once media has described itself: our 200 with its answer, and the peer's answer taken. */
import type { Decided } from '@opentact/proto/events';
import type { Call } from './call.ts';

/** Media takes the peer's answer to our offer. */
export function acceptAnswer(call: Call, leg: number, sdp: string): Decided {
  const sdpVersion = call.legs[leg]?.session?.sdpVersion ?? 1;
  return { type: 'SessionChangeRequested', leg, sdp, isOffer: false, sdpVersion };
}

/** Answers the caller once media is there; nothing while it isn't or while the answer is under way. */
export function answer(call: Call): Decided[] {
  const leg = call.legs[0];
  if (leg?.state !== 'arrived' || !leg.session?.sdp || call.ending) return [];
  return [{ type: 'AnswerRequested', leg: 0, sdp: leg.session.sdp }];
}
