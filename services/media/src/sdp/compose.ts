// Writes our descriptions: offers that have as many `m=` lines as the session had before (RFC 3264 section 8), and answers
// that mirror the offer line by line (section 6). It refuses nothing; what it is given was agreed before.
import { isIPv6 } from 'node:net';
import type { Codec } from '../codec/codec.ts';
import { CODECS } from '../codec/codecs.ts';
import { type Accepted, codecsOf, type NumberedCodec, OFFERED_EVENTS, PACKET_MS } from './negotiate.ts';
import { type Direction, type Medium, parseSdp, UNBOUNDED } from './parse.ts';

/** What is offered instead of all of our codecs, and of the usual payload type of telephone events; -1: none. */
export type Wanted = { codecs?: readonly Codec[]; events?: number };

/** Our side: `id` stays for the leg's life and `version` rises with each change (RFC 3264 section 8). */
export type Ours = { id: number; version: number; address: string; port: number };

/** Of a refused line: it must name one, and what it names means nothing (RFC 3264 section 6). */
const REFUSED_FORMATS_MAX = 16;

/** Payload types without a meaning of their own (RFC 3551 6). */
const DYNAMIC = Array.from({ length: 32 }, (_, n) => 96 + n);

function head(ours: Ours, timing: string): string[] {
  const family = isIPv6(ours.address) ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=opentact ${ours.id} ${ours.version} IN ${family} ${ours.address}`,
    's=-',
    `c=IN ${family} ${ours.address}`,
    `t=${timing}`,
  ];
}

type Audio = {
  port: number;
  protocol: string;
  codecs: NumberedCodec[];
  /** Payload type of telephone events, or -1. */
  events: number;
  direction: Direction;
  packetMs: number;
};

function audio({ port, protocol, codecs, events, direction, packetMs }: Audio): string[] {
  const formats = [...codecs.map(({ payloadType }) => payloadType), ...(events < 0 ? [] : [events])];
  return [
    `m=audio ${port} ${protocol} ${formats.join(' ')}`,
    ...codecs.map(({ codec, payloadType }) => `a=rtpmap:${payloadType} ${codec.name}/${codec.clockRate}`),
    ...(events < 0 ? [] : [`a=rtpmap:${events} telephone-event/8000`, `a=fmtp:${events} 0-15`]),
    `a=ptime:${packetMs}`,
    `a=${direction}`,
  ];
}

const refused = ({ kind, protocol, formats }: Medium) =>
  `m=${kind} 0 ${protocol} ${formats.slice(0, REFUSED_FORMATS_MAX).join(' ') || '0'}`;

const text = (lines: string[]) => `${lines.join('\r\n')}\r\n`;

/**
 * Our offer: each of our codecs, the one in use first, and telephone events.
 * @param described our latest description of the session, whose lines stay in their order; empty: there was none
 */
export function composeOffer(ours: Ours, first?: Codec, described = '', wanted: Wanted = {}): string {
  const before = described === '' ? undefined : parseSdp(described);
  const used = before?.media.findIndex(({ kind, port }) => kind === 'audio' && port !== 0) ?? -1;
  const medium = before?.media[used];
  const line = audio({ ...ours, ...offered(medium, first, wanted), direction: 'sendrecv', packetMs: PACKET_MS });
  const lines = before?.media.flatMap((one, index) => (index === used ? line : [refused(one)])) ?? [];
  return text([...head(ours, before?.timing ?? UNBOUNDED), ...lines, ...(used < 0 ? line : [])]);
}

/** A payload type means what it meant before in the session (RFC 3264 8.3.2). */
function offered(
  medium: Medium | undefined,
  first: Codec | undefined,
  { codecs: all = CODECS, events: ofOurs = OFFERED_EVENTS }: Wanted,
): Pick<Audio, 'protocol' | 'codecs' | 'events'> {
  const known = medium ? codecsOf(medium) : [];
  const taken = new Set(known.map(({ payloadType }) => payloadType));
  const free = (...types: number[]) => {
    const type = types.find((one) => !taken.has(one))!;
    taken.add(type);
    return type;
  };
  const ofEvents = medium?.formats.find((format) => medium.encodings.get(format)?.name === 'TELEPHONE-EVENT');
  const events = ofEvents === undefined ? free(ofOurs, ofOurs - 1, ...DYNAMIC) : Number(ofEvents);
  taken.add(events);
  const foremost = first ?? known[0]?.codec ?? all[0]!;
  const codecs = [foremost, ...all.filter((codec) => codec !== foremost)].map(
    (codec) =>
      known.find((one) => one.codec === codec) ?? { codec, payloadType: codec.payloadType ?? free(...DYNAMIC) },
  );
  return { protocol: medium?.protocol ?? 'RTP/AVP', codecs, events };
}

/** Our answer: the agreed stream on our port, every other medium refused with port 0. */
export function composeAnswer(ours: Ours, { media, offer, index: chosen }: Accepted): string {
  const lines = offer.media.flatMap((medium: Medium, index) =>
    index === chosen
      ? audio({
          port: ours.port,
          protocol: medium.protocol,
          codecs: [media],
          events: media.eventPayloadType,
          direction: media.direction,
          packetMs: media.packetMs,
        })
      : [refused(medium)],
  );
  return text([...head(ours, offer.timing), ...lines]);
}
