// One outgoing RTP stream: one packet buffer, one clock of 8 kHz that never stops, whatever is or isn't sent.
// It refuses to send where the peer's address is unknown.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import type { Law } from '../codec/g711.ts';
import { SILENCE } from '../codec/g711.ts';
import type { DigitSender } from '../rtp/digit-sender.ts';
import { EVENT_BYTES } from '../rtp/digit-sender.ts';
import { HEADER_BYTES, SAMPLES_PER_FRAME, writeHeader } from '../rtp/packet.ts';

export class RtpOut {
  readonly ssrc = randomBytes(4).readUInt32BE(0);
  readonly packet = Buffer.alloc(HEADER_BYTES + SAMPLES_PER_FRAME);
  packets = 0;
  timestamp = randomBytes(4).readUInt32BE(0);
  private readonly socket: Socket;
  private sequence = randomBytes(2).readUInt16BE(0);
  private paused = true;
  private keyTimestamp = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Time passes: `frames` of 20 ms since the last call. */
  advance(frames: number): void {
    this.timestamp = (this.timestamp + frames * SAMPLES_PER_FRAME) >>> 0;
  }

  /** Nothing is sent in this frame; the next packet begins a talk spurt (RFC 3551 section 4.1). */
  pause(): void {
    this.paused = true;
  }

  fillSilence(law: Law): void {
    this.packet.fill(SILENCE[law], HEADER_BYTES);
  }

  /** Sends the frame that stands in `packet` behind the header. */
  sendAudio(payloadType: number, address: string, port: number): void {
    writeHeader(this.packet, payloadType, this.paused, this.sequence++, this.timestamp, this.ssrc);
    this.paused = false;
    this.packets++;
    this.socket.send(this.packet, 0, this.packet.length, port, address);
  }

  /** Sends this frame of a key; nothing during the pause behind one. */
  sendDigit(sender: DigitSender, payloadType: number, address: string, port: number): void {
    const ago = sender.write(this.packet, HEADER_BYTES);
    this.paused = true;
    if (ago < 0) return;
    // Kept and not computed: frames lost on the way would move it, and a new timestamp is a new key.
    if (ago === 0) this.keyTimestamp = this.timestamp;
    writeHeader(this.packet, payloadType, ago === 0, this.sequence++, this.keyTimestamp, this.ssrc);
    this.packets++;
    this.socket.send(this.packet, 0, HEADER_BYTES + EVENT_BYTES, port, address);
  }
}
