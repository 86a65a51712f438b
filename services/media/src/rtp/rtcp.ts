// RTCP sender and receiver reports (RFC 3550 section 6.4) with the SDES name every compound packet owes.
// It refuses to read anything but the reports of a compound packet; BYE, APP and feedback are ignored.

/** What we know of the peer's stream; `lost` and `jitter` as RFC 3550 A.3 and A.8 define them. */
export type Reception = { ssrc: number; fractionLost: number; lost: number; highestSequence: number; jitter: number };

/** What the peer says of ours. */
export type PeerReport = { ssrc: number; sender: boolean; fractionLost: number; lost: number; jitter: number };

const NTP_EPOCH_OFFSET_S = 2_208_988_800;
export const REPORT_BYTES_MAX = 28 + 24 + 24;

function writeReception(packet: Buffer, at: number, heard: Reception): void {
  packet.writeUInt32BE(heard.ssrc, at);
  packet.writeUInt32BE(((heard.fractionLost << 24) | (heard.lost & 0xffffff)) >>> 0, at + 4);
  packet.writeUInt32BE(heard.highestSequence >>> 0, at + 8);
  packet.writeUInt32BE(heard.jitter >>> 0, at + 12);
  packet.fill(0, at + 16, at + 24);
}

// SDES with one CNAME: "opentact", RFC 3550 section 6.5.1. A name that tells nothing of the host.
function writeName(packet: Buffer, at: number, ssrc: number): number {
  packet[at] = 0x81;
  packet[at + 1] = 202;
  packet.writeUInt16BE(4, at + 2);
  packet.writeUInt32BE(ssrc, at + 4);
  packet[at + 8] = 1;
  packet[at + 9] = 8;
  packet.write('opentact', at + 10, 'latin1');
  packet.fill(0, at + 18, at + 20);
  return at + 20;
}

/** Writes a sender report for `ssrc` into `packet` and returns its length. `wallMs` is ms since the Unix epoch. */
export function writeSenderReport(
  packet: Buffer,
  ssrc: number,
  wallMs: number,
  timestamp: number,
  packets: number,
  octets: number,
  heard: Reception | undefined,
): number {
  const words = heard ? 12 : 6;
  packet[0] = heard ? 0x81 : 0x80;
  packet[1] = 200;
  packet.writeUInt16BE(words, 2);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt32BE((Math.floor(wallMs / 1000) + NTP_EPOCH_OFFSET_S) >>> 0, 8);
  packet.writeUInt32BE(Math.floor(((wallMs % 1000) / 1000) * 2 ** 32) >>> 0, 12);
  packet.writeUInt32BE(timestamp >>> 0, 16);
  packet.writeUInt32BE(packets >>> 0, 20);
  packet.writeUInt32BE(octets >>> 0, 24);
  if (heard) writeReception(packet, 28, heard);
  return writeName(packet, (words + 1) * 4, ssrc);
}

/**
 * Is it a compound packet as RFC 3550 A.2 has it: version 2, a report first, and lengths that add up to the end?
 * Reduced-size RTCP (RFC 5506) was never agreed on.
 */
export function isRtcp(packet: Buffer): boolean {
  if (packet.length < 8 || (packet[1] !== 200 && packet[1] !== 201) || packet[0]! & 0x20) return false;
  let at = 0;
  while (at + 4 <= packet.length) {
    if (packet[at]! >> 6 !== 2) return false;
    at += (packet.readUInt16BE(at + 2) + 1) * 4;
  }
  return at === packet.length;
}

/** Reads the first sender or receiver report; undefined for anything else. */
export function readReport(packet: Buffer): PeerReport | undefined {
  if (packet.length < 8 || packet[0]! >> 6 !== 2) return undefined;
  const kind = packet[1]!;
  if (kind !== 200 && kind !== 201) return undefined;
  const ssrc = packet.readUInt32BE(4);
  const blockAt = kind === 200 ? 28 : 8;
  const hasBlock = (packet[0]! & 31) > 0 && packet.length >= blockAt + 24;
  if (!hasBlock) return { ssrc, sender: kind === 200, fractionLost: 0, lost: 0, jitter: 0 };
  return {
    ssrc,
    sender: kind === 200,
    fractionLost: packet[blockAt + 4]!,
    lost: packet.readIntBE(blockAt + 5, 3),
    jitter: packet.readUInt32BE(blockAt + 12),
  };
}

/**
 * What a compound packet says it heard of the stream `ssrc`: the extended highest sequence number (RFC 3550 6.4.1) of each
 * block about it. The packet was found valid by `isRtcp`.
 */
export function heardOf(packet: Buffer, ssrc: number): number[] {
  const heard: number[] = [];
  for (let at = 0; at + 8 <= packet.length; ) {
    const end = at + (packet.readUInt16BE(at + 2) + 1) * 4;
    const kind = packet[at + 1];
    const first = kind === 200 ? at + 28 : at + 8;
    const blocks = kind === 200 || kind === 201 ? packet[at]! & 31 : 0;
    for (let n = 0; n < blocks; n++) {
      const block = first + n * 24;
      if (block + 24 > end) break;
      if (packet.readUInt32BE(block) === ssrc) heard.push(packet.readUInt32BE(block + 8));
    }
    at = end;
  }
  return heard;
}
