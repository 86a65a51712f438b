// Offer and answer (RFC 3264) for one audio stream of a codec of ours with telephone events.
// It refuses encrypted profiles, host names and groups in `c=`, packets under 5 ms, and a description without such a codec.
import { isIP } from 'node:net';
import type { Codec } from '../codec/codec.ts';
import { CODECS } from '../codec/codecs.ts';
import { type Description, type Direction, type Medium, parseSdp } from './parse.ts';

export type SdpFailure = 'no-codec' | 'bad-sdp';

/** What the two sides agreed on, seen from us. */
export type NegotiatedMedia = {
  codec: Codec;
  payloadType: number;
  /** Payload type of telephone events at 8 kHz, or -1: then keys are listened for in the audio. */
  eventPayloadType: number;
  /** Where the peer wants its audio; an empty address: nowhere for now. */
  address: string;
  port: number;
  rtcpPort: number;
  /** How much audio a packet of ours holds, ms: what the peer would like (10 … 60) and no more than it takes. */
  packetMs: number;
  /** What we may do. */
  direction: Direction;
  /** The peer no longer wants our audio. */
  held: boolean;
};

export type Accepted = { ok: true; media: NegotiatedMedia; offer: Description; index: number };
export type Refused = { ok: false; reason: SdpFailure };

/** Of our packets; what nobody asks otherwise (RFC 3551 4.2). */
export const PACKET_MS = 20;
const PACKET_MS_MIN = 5;
const PACKET_MS_MAX = 60;

export const REVERSE: Record<Direction, Direction> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/**
 * Takes the peer's description, be it its offer or its answer to ours.
 * @param prefer the codec already in use, if any
 * @param family 4 or 6: what our sockets speak; absent: either
 */
export function negotiate(sdp: string, prefer?: Codec, family?: number): Accepted | Refused {
  const offer = parseSdp(sdp);
  if (!offer) return { ok: false, reason: 'bad-sdp' };
  let reason: SdpFailure = 'no-codec';
  for (const [index, medium] of offer.media.entries()) {
    if (medium.kind !== 'audio' || medium.port === 0 || !/^RTP\/AVPF?$/i.test(medium.protocol)) continue;
    const chosen = chooseCodec(medium, prefer);
    if (!chosen || (medium.maxPtimeMs ?? PACKET_MS) < PACKET_MS_MIN) continue;
    if (!isOnePlace(medium.address, family)) {
      reason = 'bad-sdp';
      continue;
    }
    return { ok: true, media: agree(medium, chosen), offer, index };
  }
  return { ok: false, reason };
}

// A group or everybody can't be a caller; names are refused because nobody here may wait for a resolver.
function isOnePlace(address: string, family: number | undefined): boolean {
  const version = isIP(address);
  if (version === 0 || (family !== undefined && version !== family)) return false;
  return !/^(22[4-9]|23\d|255)\.|^ff/i.test(address);
}

/** A codec under the payload type that a session knows it by. */
export type NumberedCodec = { codec: Codec; payloadType: number };

/** The codecs of a medium that are ours, in its order. */
export function codecsOf(medium: Medium): NumberedCodec[] {
  return medium.formats.flatMap((format) => {
    const encoding = medium.encodings.get(format);
    const codec = CODECS.find(({ name, clockRate }) => name === encoding?.name && clockRate === encoding.rate);
    const isUsable = encoding?.channels === 1 && isPayloadType(format);
    return codec && isUsable ? [{ codec, payloadType: Number(format) }] : [];
  });
}

function chooseCodec(medium: Medium, prefer: Codec | undefined): NumberedCodec | undefined {
  const common = codecsOf(medium);
  return common.find(({ codec }) => codec === prefer) ?? common[0];
}

function isPayloadType(format: string): boolean {
  return /^\d{1,3}$/.test(format) && Number(format) < 128;
}

function agree(medium: Medium, chosen: NumberedCodec): NegotiatedMedia {
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
    packetMs: packetOf(medium),
    direction: REVERSE[theirs],
    held: theirs === 'sendonly' || theirs === 'inactive',
  };
}

function packetOf({ ptimeMs = PACKET_MS, maxPtimeMs = PACKET_MS_MAX }: Medium): number {
  const wanted = ptimeMs >= 10 && ptimeMs <= PACKET_MS_MAX ? ptimeMs : PACKET_MS;
  return Math.min(wanted, Math.max(PACKET_MS_MIN, maxPtimeMs));
}

/** Payload type of telephone events in offers of ours. */
export const OFFERED_EVENTS = 101;
