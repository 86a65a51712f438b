// Offer and answer (RFC 3264) for one audio stream of G.711 with telephone events.
// It refuses encrypted profiles, host names and groups in `c=`, and a description without a law we speak.
import { isIP } from 'node:net';
import type { Law } from '../codec/g711.ts';
import { type Description, type Direction, type Medium, parseSdp } from './parse.ts';

export type SdpFailure = 'no-codec' | 'bad-sdp';

/** What the two sides agreed on, seen from us. */
export type Agreement = {
  law: Law;
  payloadType: number;
  /** Payload type of telephone events at 8 kHz, or -1: then keys are listened for in the audio. */
  eventPayloadType: number;
  /** Where the peer wants its audio; an empty address: nowhere for now. */
  address: string;
  port: number;
  rtcpPort: number;
  /** What we may do. */
  direction: Direction;
  /** The peer no longer wants our audio. */
  held: boolean;
};

export type Accepted = { ok: true; agreement: Agreement; offer: Description; index: number };
export type Refused = { ok: false; reason: SdpFailure };

export const REVERSE: Record<Direction, Direction> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/**
 * Takes the peer's description, be it its offer or its answer to ours.
 * @param prefer the law already in use, if any
 * @param family 4 or 6: what our sockets speak; absent: either
 */
export function negotiate(sdp: string, prefer?: Law, family?: number): Accepted | Refused {
  const offer = parseSdp(sdp);
  if (!offer) return { ok: false, reason: 'bad-sdp' };
  let reason: SdpFailure = 'no-codec';
  for (const [index, medium] of offer.media.entries()) {
    if (medium.kind !== 'audio' || medium.port === 0 || !/^RTP\/AVPF?$/.test(medium.protocol)) continue;
    const chosen = chooseLaw(medium, prefer);
    if (!chosen) continue;
    if (!isOnePlace(medium.address, family)) {
      reason = 'bad-sdp';
      continue;
    }
    return { ok: true, agreement: agree(medium, chosen), offer, index };
  }
  return { ok: false, reason };
}

// A group or everybody can't be a caller; names are refused because nobody here may wait for a resolver.
function isOnePlace(address: string, family: number | undefined): boolean {
  const version = isIP(address);
  if (version === 0 || (family !== undefined && version !== family)) return false;
  return !/^(22[4-9]|23\d|255)\.|^ff/i.test(address);
}

function chooseLaw(medium: Medium, prefer: Law | undefined): { law: Law; payloadType: number } | undefined {
  const common = medium.formats.flatMap((format) => {
    const encoding = medium.encodings.get(format);
    const law = encoding?.name;
    const usable = (law === 'PCMU' || law === 'PCMA') && encoding?.rate === 8000 && encoding.channels === 1;
    return usable && isPayloadType(format) ? [{ law: law as Law, payloadType: Number(format) }] : [];
  });
  return common.find(({ law }) => law === prefer) ?? common[0];
}

function isPayloadType(format: string): boolean {
  return /^\d{1,3}$/.test(format) && Number(format) < 128;
}

function agree(medium: Medium, chosen: { law: Law; payloadType: number }): Agreement {
  const events = medium.formats.find((format) => {
    const encoding = medium.encodings.get(format);
    return encoding?.name === 'TELEPHONE-EVENT' && encoding.rate === 8000 && isPayloadType(format);
  });
  // RFC 2543's hold: a null address. The peer may still send, so we go on listening.
  const nowhere = /^(0\.0\.0\.0|::)$/.test(medium.address);
  const theirs = nowhere && medium.direction === 'sendrecv' ? 'sendonly' : medium.direction;
  return {
    ...chosen,
    eventPayloadType: events === undefined ? -1 : Number(events),
    address: nowhere ? '' : medium.address,
    port: medium.port,
    // `a=rtcp-mux` is never answered, so RTCP keeps its own port (RFC 5761 section 5.1.1).
    rtcpPort: medium.rtcpPort,
    direction: REVERSE[theirs],
    held: theirs === 'sendonly' || theirs === 'inactive',
  };
}

/** Payload type of telephone events in offers of ours. */
export const OFFERED_EVENTS = 101;
