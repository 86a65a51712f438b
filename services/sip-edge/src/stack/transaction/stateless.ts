// Answers a request and keeps nothing of it (RFC 3261 8.2.7): what strangers are told. Over UDP, where a source may be
// forged, an answer never has more than AMPLIFICATION_MAX times the bytes that asked for it.

import { formatResponse, type ResponseOptions } from '../message/build.ts';
import type { Fault, SipRequest } from '../message/message.ts';
import type { Arrival } from '../transport/peer.ts';

export const AMPLIFICATION_MAX = 3;

/**
 * Sends one answer, without its optional lines where these would make it too long, or none. `received` is the length of
 * the request in bytes, `sent` of what it was answered before. The same request repeated is answered the same again, so
 * `options.toTag` must follow from it.
 */
export function respondStateless(
  to: SipRequest | (Fault & { method?: string }),
  { peer, source }: Pick<Arrival, 'peer' | 'source'>,
  status: number,
  options: ResponseOptions,
  received: number,
  sent = 0,
): void {
  const max = peer.transport === 'udp' ? received * AMPLIFICATION_MAX - sent : Number.POSITIVE_INFINITY;
  const { toTag } = options;
  for (const said of [options, toTag === undefined ? {} : { toTag }]) {
    const bytes = formatResponse(to, source, status, said);
    if (bytes.length <= max) return peer.send(bytes, () => {});
  }
}
