// RTP packets (RFC 3550 section 5.1) read and written in place, without a new object per packet.
// It refuses versions other than 2, truncated headers, impossible padding, and RTCP on the RTP port.

export const HEADER_BYTES = 12;
export const SAMPLES_PER_FRAME = 160;

/** A header as it was last read; one instance per socket, overwritten by each packet. */
export type Header = {
  marker: boolean;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payloadStart: number;
  payloadEnd: number;
};

export function emptyHeader(): Header {
  return { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0, payloadStart: 0, payloadEnd: 0 };
}

/** Reads `packet` into `header`; false where it is no RTP packet, and then `header` means nothing. */
export function readHeader(packet: Buffer, header: Header): boolean {
  if (packet.length < HEADER_BYTES || packet[0]! >> 6 !== 2) return false;
  const second = packet[1]!;
  // RFC 5761 section 4: payload types 64 to 95 with this bit pattern are RTCP.
  if (second >= 192 && second <= 223) return false;
  let start = HEADER_BYTES + (packet[0]! & 15) * 4;
  if (packet[0]! & 0x10) {
    if (packet.length < start + 4) return false;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  let end = packet.length;
  if (packet[0]! & 0x20) {
    const padding = packet[end - 1]!;
    if (padding === 0) return false;
    end -= padding;
  }
  if (start > end) return false;
  header.marker = second >= 128;
  header.payloadType = second & 127;
  header.sequence = packet.readUInt16BE(2);
  header.timestamp = packet.readUInt32BE(4);
  header.ssrc = packet.readUInt32BE(8);
  header.payloadStart = start;
  header.payloadEnd = end;
  return true;
}

/** Writes the fixed header at the start of `packet`. */
export function writeHeader(
  packet: Buffer,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  packet[0] = 0x80;
  packet[1] = payloadType | (marker ? 0x80 : 0);
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE(timestamp >>> 0, 4);
  packet.writeUInt32BE(ssrc >>> 0, 8);
}

/** How far `a` is ahead of `b` on the 32-bit circle of timestamps; negative when behind. */
export function timestampDistance(a: number, b: number): number {
  return (a - b) | 0;
}

/** How far `a` is ahead of `b` on the 16-bit circle of sequence numbers. */
export function sequenceDistance(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}
