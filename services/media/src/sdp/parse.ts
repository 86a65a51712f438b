// Reads a session description (RFC 4566) leniently: unknown lines are skipped, order hardly matters.
// It refuses more than 16 KiB, 500 lines, 8 media or 32 formats a medium, and a body without `v=` or media.

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** A format as `a=rtpmap` names it: encoding in upper case, clock rate in Hz, channels. */
export type Encoding = { name: string; rate: number; channels: number };

/** One `m=` line with what belongs to it; `address` and `direction` are inherited from the session where absent. */
export type Medium = {
  kind: string;
  port: number;
  protocol: string;
  formats: string[];
  address: string;
  direction: Direction;
  encodings: Map<string, Encoding>;
  parameters: Map<string, string>;
  ptimeMs: number;
  rtcpPort: number;
};

export type Description = { originId: string; originVersion: string; media: Medium[] };

const BYTES_MAX = 16_384;
const LINES_MAX = 500;
const MEDIA_MAX = 8;
const FORMATS_MAX = 32;

/** RFC 3551 section 6: what a static payload type means without an rtpmap. */
const STATIC: Record<string, Encoding> = {
  '0': { name: 'PCMU', rate: 8000, channels: 1 },
  '8': { name: 'PCMA', rate: 8000, channels: 1 },
  '9': { name: 'G722', rate: 8000, channels: 1 },
};

type Scope = { address: string; direction: Direction };

/** The description, or undefined where it can't be one. */
export function parseSdp(text: string): Description | undefined {
  if (text.length > BYTES_MAX) return undefined;
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.length > LINES_MAX || !lines.some((line) => line.startsWith('v=0'))) return undefined;
  const description: Description = { originId: '0', originVersion: '0', media: [] };
  const session: Scope = { address: '', direction: 'sendrecv' };
  for (const line of lines) {
    if (line[1] !== '=') continue;
    const value = line.slice(2).trim();
    const medium = description.media.at(-1);
    switch (line[0]) {
      case 'o': {
        const [, id, version] = value.split(/\s+/);
        description.originId = id ?? '0';
        description.originVersion = version ?? '0';
        break;
      }
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
  return description.media.length > 0 ? description : undefined;
}

function connectionAddress(value: string): string | undefined {
  const [network, family, address] = value.split(/\s+/);
  if (network !== 'IN' || (family !== 'IP4' && family !== 'IP6') || !address) return undefined;
  return address.split('/')[0];
}

function openMedium(value: string, session: Scope): Medium | undefined {
  const [kind, portText, protocol, ...formats] = value.split(/\s+/);
  const port = Number(portText?.split('/')[0]);
  if (!kind || !protocol || !Number.isInteger(port) || port < 0 || port > 65_535) return undefined;
  if (formats.length > FORMATS_MAX) return undefined;
  const encodings = new Map<string, Encoding>();
  for (const format of formats) if (STATIC[format]) encodings.set(format, STATIC[format]);
  return {
    kind: kind.toLowerCase(),
    port,
    protocol: protocol.toUpperCase(),
    formats,
    address: session.address,
    direction: session.direction,
    encodings,
    parameters: new Map(),
    ptimeMs: 20,
    rtcpPort: isPort(port + 1) ? port + 1 : port,
  };
}

function attribute(value: string, medium: Medium | undefined, session: Scope): void {
  const colon = value.indexOf(':');
  const name = (colon < 0 ? value : value.slice(0, colon)).toLowerCase();
  const rest = colon < 0 ? '' : value.slice(colon + 1).trim();
  if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive')
    (medium ?? session).direction = name;
  if (!medium) return;
  switch (name) {
    case 'rtpmap': {
      const found = /^(\S+)\s+([^/\s]+)\/(\d{1,6})(?:\/(\d))?/.exec(rest);
      if (found && medium.encodings.size < FORMATS_MAX)
        medium.encodings.set(found[1]!, {
          name: found[2]!.toUpperCase(),
          rate: Number(found[3]),
          channels: Number(found[4] ?? 1),
        });
      break;
    }
    case 'fmtp': {
      const space = rest.indexOf(' ');
      if (space > 0 && medium.parameters.size < FORMATS_MAX)
        medium.parameters.set(rest.slice(0, space), rest.slice(space + 1).trim());
      break;
    }
    case 'ptime':
      if (/^\d{1,3}$/.test(rest)) medium.ptimeMs = Number(rest);
      break;
    case 'rtcp':
      if (isPort(Number.parseInt(rest, 10))) medium.rtcpPort = Number.parseInt(rest, 10);
  }
}

/** A port that a packet can be sent to. */
function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}
