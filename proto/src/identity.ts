/**
 * Names that come from the story, so that a request asked again is, on the wire, a retransmission:
 * call and leg uuids, tags, branches, CSeq numbers (architecture section 6). Pure but for node's own HMAC.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { legUuid } from './call-view/call-object.ts';

export { legUuid };

function uuidV8(digest: Buffer): string {
  const b = Buffer.from(digest.subarray(0, 16));
  b[6] = (b[6]! & 0x0f) | 0x80; // version 8, RFC 9562 5.8
  b[8] = (b[8]! & 0x3f) | 0x80; // variant
  b.writeUInt16BE(0, 14); // the leg number
  const h = b.toString('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
}

function hmac(secret: string, ...parts: string[]): Buffer {
  // Lengths between the parts, so that no two lists of parts give the same bytes.
  return createHmac('sha256', secret)
    .update(parts.map((p) => `${p.length}:${p}`).join(''))
    .digest();
}

/** The call of an inbound INVITE. A retransmission to any edge is the same call. An absent From tag counts as empty. */
export function callIdOfInvite(secret: string, sipCallId: string, fromTag: string, cseq: number): string {
  return uuidV8(hmac(secret, 'invite', sipCallId, fromTag, String(cseq)));
}

/** The call that an account ordered under a key of its own: ordered again, it is the same call. */
export function callIdOfOrder(accountId: string, key: string): string {
  return uuidV8(hmac(accountId, 'order', key));
}

/** The call and leg number of a leg's uuid; undefined where it is not one of ours by its form. */
export function parseLegUuid(uuid: string): { callId: string; leg: number } | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid)) return undefined;
  return { callId: `${uuid.slice(0, -4)}0000`, leg: Number.parseInt(uuid.slice(-4), 16) };
}

/** Our tag in From or To, and the user part of our Contact: `<leg uuid>.<mac>`. */
export function localTag(secret: string, callId: string, leg: number): string {
  const uuid = legUuid(callId, leg);
  return `${uuid}.${hmac(secret, 'tag', uuid).toString('hex').slice(0, 16)}`;
}

/** The leg that a tag of ours names; undefined where the tag is not ours or forged. */
export function verifyTag(secret: string, tag: string): { callId: string; leg: number } | undefined {
  const [uuid, mac] = tag.split('.');
  const found = uuid && mac?.length === 16 ? parseLegUuid(uuid) : undefined;
  if (!found || !mac) return undefined;
  const want = Buffer.from(localTag(secret, found.callId, found.leg).slice(-16));
  const given = Buffer.from(mac);
  return given.length === want.length && timingSafeEqual(given, want) ? found : undefined;
}

/** Via branch of the request `seq` of a call; `attempt` counts 401, 407, 491 and 422 answers, 0 … 15. */
export function branchOf(secret: string, callId: string, seq: number, attempt: number): string {
  return `z9hG4bK${hmac(secret, 'branch', callId, String(seq), String(attempt)).toString('hex').slice(0, 24)}`;
}

/** CSeq number of the request `seq` of a call: 16·seq + attempt. */
export function cseqOf(seq: number, attempt: number): number {
  return 16 * seq + attempt;
}

/** Call-ID of a leg that we dial. */
export function sipCallIdOf(secret: string, callId: string, leg: number): string {
  return hmac(secret, 'call-id', legUuid(callId, leg)).toString('hex').slice(0, 32);
}
