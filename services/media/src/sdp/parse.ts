// Reads a session description (RFC 8866) leniently: unknown lines are skipped, order hardly matters.
// It refuses more than 16 KiB or 64 media, and a body without `v=` or media. What is only refused in the answer, a browser's
// video, say, never makes the whole unreadable.
import { staticCodec } from '../codec/codecs.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** A format as `a=rtpmap` names it: encoding in upper case, clock rate in Hz, channels. */
export type Encoding = { name: string; rate: number; channels: number };

/** One `m=` line with what belongs to it; `address` and `direction` are inherited from the session where absent. */
export type Medium = {
  kind: string;
  port: number;
  /** As it was written. */
  protocol: string;
  formats: string[];
  address: string;
  direction: Direction;
  encodings: Map<string, Encoding>;
  /** What the peer would like to receive in a packet, and the most that it takes, ms; absent: it doesn't say. */
  ptimeMs?: number;
  maxPtimeMs?: number;
  rtcpPort: number;
};

/** `timing`: the value of `t=`, which an answer repeats (RFC 3264 6). */
export type Description = { timing: string; media: Medium[] };

const CHARACTERS_MAX = 16_384;
const MEDIA_MAX = 64;
/** As many as there are payload types; further ones of a line are passed over. */
const FORMATS_MAX = 128;

export const UNBOUNDED = '0 0';

type Scope = { address: string; direction: Direction };

/** The description, or undefined where it can't be one. */
export function parseSdp(text: string): Description | undefined {
  if (text.length > CHARACTERS_MAX) return undefined;
  const lines = text.split(/\r\n|\n|\r/);
  if (!lines.some((line) => line.startsWith('v=0'))) return undefined;
  const description: Description = { timing: '', media: [] };
  const session: Scope = { address: '', direction: 'sendrecv' };
  for (const line of lines) {
    if (line[1] !== '=') continue;
    const value = line.slice(2).trim();
    const medium = description.media.at(-1);
    switch (line[0]) {
      case 't':
        if (/^\d{1,20} +\d{1,20}$/.test(value)) description.timing ||= value;
        break;
      case 'c':
        (medium ?? session).address = connectionAddress(value) ?? (medium ?? session).address;
        break;
      case 'm': {
        const opened = openMedium(value, session);
        if (!opened || description.media.length >= MEDIA_MAX) return undefined;
        description.media.push(opened);
        break;
      }
      case 'a':
        attribute(value, medium, session);
    }
  }
  description.timing ||= UNBOUNDED;
  return description.media.length > 0 ? description : undefined;
}

function connectionAddress(value: string): string | undefined {
  const [network, family, address] = value.split(/\s+/, 3);
  if (network !== 'IN' || (family !== 'IP4' && family !== 'IP6') || !address) return undefined;
  return address.split('/', 1)[0];
}

function openMedium(value: string, session: Scope): Medium | undefined {
  const [kind, portText, protocol, ...formats] = value.split(/\s+/, FORMATS_MAX + 3);
  if (!kind || !protocol) return undefined;
  const isAudio = kind.toLowerCase() === 'audio';
  const told = Number(portText?.split('/', 1)[0]);
  const isPossible = Number.isInteger(told) && told >= 0 && told <= 65_535;
  if (!isPossible && isAudio) return undefined;
  const port = isPossible ? told : 0;
  const encodings = new Map<string, Encoding>();
  for (const format of formats) {
    const codec = /^\d{1,3}$/.test(format) ? staticCodec(Number(format)) : undefined;
    if (codec) encodings.set(format, { name: codec.name, rate: codec.clockRate, channels: 1 });
  }
  return {
    kind: isAudio ? 'audio' : kind,
    port,
    protocol,
    formats,
    address: session.address,
    direction: session.direction,
    encodings,
    rtcpPort: isPort(port + 1) ? port + 1 : port,
  };
}

function attribute(value: string, medium: Medium | undefined, session: Scope): void {
  const colon = value.indexOf(':');
  const name = (colon < 0 ? value : value.slice(0, colon)).toLowerCase();
  const rest = colon < 0 ? '' : value.slice(colon + 1).trim();
  if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive')
    (medium ?? session).direction = name;
  if (medium?.kind !== 'audio') return;
  switch (name) {
    case 'rtpmap':
      encoding(rest, medium);
      break;
    case 'ptime':
      medium.ptimeMs = milliseconds(rest) ?? medium.ptimeMs;
      break;
    case 'maxptime':
      medium.maxPtimeMs = milliseconds(rest) ?? medium.maxPtimeMs;
      break;
    case 'rtcp':
      if (isPort(Number.parseInt(rest, 10))) medium.rtcpPort = Number.parseInt(rest, 10);
  }
}

/** `PT name/rate[/channels]`, of a format that the line lists. */
function encoding(value: string, medium: Medium): void {
  const [format = '', map = ''] = value.split(/\s+/, 2);
  const [name, rate = '', channels = '1'] = map.split('/', 3);
  if (!name || !/^\d{1,6}$/.test(rate) || !/^\d$/.test(channels) || !medium.formats.includes(format)) return;
  medium.encodings.set(format, { name: name.toUpperCase(), rate: Number(rate), channels: Number(channels) });
}

/** Up to four digits before a point, if there is one. */
function milliseconds(value: string): number | undefined {
  const [whole = ''] = value.split('.', 1);
  return /^\d{1,4}$/.test(whole) && Number(whole) > 0 ? Number(whole) : undefined;
}

/** A port that a packet can be sent to. */
function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}
