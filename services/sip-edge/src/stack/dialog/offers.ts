// Offers within a dialog, one at a time (RFC 3264, RFC 3261 14): ours and the peer's can't be in flight together.
// Pure. It refuses a second offer with 491 (ours under way: glare) or 500 (theirs still unanswered).

export type Offers =
  | { readonly name: 'idle' }
  /** Our re-INVITE is under way, under the request that asked for it. */
  | { readonly name: 'ours'; readonly requestId: number }
  /** The peer's re-INVITE waits for our answer; `transaction` is its name. */
  | { readonly name: 'theirs'; readonly transaction: string };

export const NO_OFFER: Offers = { name: 'idle' };

export type OfferVerdict = { ok: true; offers: Offers } | { ok: false; status: number; retryAfterS?: number };

/** The peer's re-INVITE (RFC 3261 14.2). `retryAfterS` is what the 500 suggests, 0 to 10 s. */
export function peerOffers(offers: Offers, transaction: string, retryAfterS: number): OfferVerdict {
  if (offers.name === 'ours') return { ok: false, status: 491 };
  if (offers.name === 'theirs') return { ok: false, status: 500, retryAfterS };
  return { ok: true, offers: { name: 'theirs', transaction } };
}

/** Our own re-INVITE (RFC 3261 14.1): refused here as the peer would refuse it, so that both see one glare. */
export function weOffer(offers: Offers, requestId: number): OfferVerdict {
  if (offers.name === 'idle') return { ok: true, offers: { name: 'ours', requestId } };
  return { ok: false, status: 491 };
}

/** How long to wait after a 491 (RFC 3261 14.1): the owner of the Call-ID longer, so that they don't collide again.
 * `share` is a number from 0 to below 1 that the caller derives. */
export function glareWaitMs(ownsCallId: boolean, share: number): number {
  return ownsCallId ? 2_100 + Math.floor(share * 190) * 10 : Math.floor(share * 200) * 10;
}
