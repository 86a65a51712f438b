/** The RTP of one load call: silence every 20 ms, one key as RFC 4733 tells it, and when what was heard. */

const SILENCE = 0xff;
const PAYLOAD = 160;
const EVENT_TYPE = 101;
/** Packets of one key: five while it is down, its end three times. */
const KEY_PACKETS = 8;
const KEY_END = 5;
/** Louder than this in µ-law (whose bits are inverted) is no silence. */
const LOUD = 0x60;
const LATE_MS = 40;

export type RtpLine = {
  /** 0 before the description came. */
  port: number;
  firstAt: number;
  firstSoundAt: number;
  keyEndAt: number;
  soundAfterKeyAt: number;
  sent: number;
  received: number;
  lost: number;
  late: number;
  /** Next packet to send. */
  packet(now: number): Buffer;
  heard(packet: Buffer, now: number): void;
};

const isLoud = (packet: Buffer): boolean => {
  for (let at = 13; at < packet.length; at += 13) if ((packet[at]! & 0x7f) < LOUD) return true;
  return false;
};

/** @param keyAfterMs after the first sound; undefined: no key. */
export function rtpLine(ssrc: number, keyAfterMs: number | undefined): RtpLine {
  const silence = Buffer.alloc(12 + PAYLOAD, SILENCE);
  const key = Buffer.alloc(16);
  for (const packet of [silence, key]) {
    packet[0] = 0x80;
    packet.writeUInt32BE(ssrc >>> 0, 8);
  }
  silence[1] = 0;
  let sequence = ssrc & 0xffff;
  let timestamp = ssrc & 0xffffff;
  let keyed = 0;
  let expected = -1;
  let previousAt = 0;

  function keyPacket(now: number): Buffer {
    if (keyed === KEY_END) line.keyEndAt = now;
    key[1] = EVENT_TYPE | (keyed === 0 ? 0x80 : 0);
    if (keyed === 0) key.writeUInt32BE(timestamp, 4);
    key[12] = 1;
    key[13] = 10 | (keyed >= KEY_END ? 0x80 : 0);
    key.writeUInt16BE(Math.min(keyed + 1, KEY_END) * PAYLOAD, 14);
    keyed++;
    return key;
  }
  const line: RtpLine = {
    port: 0,
    firstAt: 0,
    firstSoundAt: 0,
    keyEndAt: 0,
    soundAfterKeyAt: 0,
    sent: 0,
    received: 0,
    lost: 0,
    late: 0,
    packet(now) {
      const isKey =
        keyAfterMs !== undefined &&
        line.firstSoundAt > 0 &&
        now >= line.firstSoundAt + keyAfterMs &&
        keyed < KEY_PACKETS;
      const packet = isKey ? keyPacket(now) : silence;
      packet.writeUInt16BE(sequence, 2);
      if (!isKey) packet.writeUInt32BE(timestamp, 4);
      sequence = (sequence + 1) & 0xffff;
      timestamp += PAYLOAD;
      line.sent++;
      return packet;
    },
    heard(packet, now) {
      if (packet.length < 12 || (packet[1]! & 0x7f) !== 0) return;
      const number = packet.readUInt16BE(2);
      if (line.received === 0) line.firstAt = now;
      else {
        const ahead = (number - expected) & 0xffff;
        if (ahead < 1_000) line.lost += ahead;
        if (now - previousAt > LATE_MS) line.late++;
      }
      expected = (number + 1) & 0xffff;
      previousAt = now;
      line.received++;
      if (line.firstSoundAt > 0 && (line.keyEndAt === 0 || line.soundAfterKeyAt > 0)) return;
      if (!isLoud(packet)) return;
      if (line.firstSoundAt === 0) line.firstSoundAt = now;
      else line.soundAfterKeyAt = now;
    },
  };
  return line;
}
