// One outgoing RTP stream: one clock of 8 kHz that never stops, whatever is or isn't sent. Frames come every 20 ms; packets
// hold as much as was agreed on.
// It refuses to send where the peer's address is unknown.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import type { Codec } from '../codec/codec.ts';
import { CODECS, SAMPLE_BYTES_MAX } from '../codec/codecs.ts';
import type { DigitSender } from '../rtp/digit-sender.ts';
import { EVENT_BYTES } from '../rtp/digit-sender.ts';
import { HEADER_BYTES, SAMPLES_PER_FRAME, writeHeader } from '../rtp/packet.ts';

const PACKET_MS_MAX = 60;

export class RtpOut {
  ssrc = randomBytes(4).readUInt32BE(0);
  /** This frame's packet, or its audio alone where packets hold more or less than a frame. */
  readonly packet = Buffer.alloc(HEADER_BYTES + SAMPLES_PER_FRAME * SAMPLE_BYTES_MAX);
  packets = 0;
  /** Of payload. */
  octets = 0;
  timestamp = randomBytes(4).readUInt32BE(0);
  private readonly socket: Socket;
  private sequence = randomBytes(2).readUInt16BE(0);
  private paused = true;
  private keyTimestamp = 0;
  private codec: Codec = CODECS[0]!;
  private samplesPerPacket = SAMPLES_PER_FRAME;
  /** A packet that is being filled, of another size than a frame; `heldAt`: its timestamp. */
  private readonly held = Buffer.alloc(HEADER_BYTES + PACKET_MS_MAX * 8 * SAMPLE_BYTES_MAX);
  private heldSamples = 0;
  private heldAt = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** What follows is another stream: nobody who saw the one before can tell its names. Time goes on. */
  renew(): void {
    this.ssrc = randomBytes(4).readUInt32BE(0);
    this.sequence = randomBytes(2).readUInt16BE(0);
    this.packets = this.octets = 0;
    this.pause();
  }

  /** Is this extended sequence number (RFC 3550 A.1) one of what was sent of this stream? */
  wasSent(extended: number): boolean {
    const behind = (this.sequence - 1 - extended) & 0xffff;
    return behind < this.packets && extended >>> 16 <= Math.ceil(this.packets / 0x1_0000);
  }

  /** From now on packets hold `packetMs` (1 to 60) of audio by this codec. */
  carry(codec: Codec, packetMs: number): void {
    this.codec = codec;
    this.samplesPerPacket = Math.max(1, Math.min(PACKET_MS_MAX, packetMs)) * 8;
    this.heldSamples = 0;
  }

  /** Time passes: `frames` of 20 ms since the last call. */
  advance(frames: number): void {
    this.timestamp = (this.timestamp + frames * SAMPLES_PER_FRAME) >>> 0;
  }

  /** Nothing is sent in this frame; the next packet begins a talk spurt (RFC 3551 section 4.1). */
  pause(): void {
    this.paused = true;
    this.heldSamples = 0;
  }

  fillSilence(): void {
    this.packet.fill(this.codec.silence, HEADER_BYTES);
  }

  /** Sends the frame that stands in `packet` behind the header, or what is whole of it and those before. */
  sendAudio(payloadType: number, address: string, port: number): void {
    const { sampleBytes } = this.codec;
    if (this.samplesPerPacket === SAMPLES_PER_FRAME) {
      writeHeader(this.packet, payloadType, this.paused, this.sequence++, this.timestamp, this.ssrc);
      this.paused = false;
      this.send(this.packet, HEADER_BYTES + SAMPLES_PER_FRAME * sampleBytes, address, port);
      return;
    }
    // After a frame that was lost nothing fits to what is held.
    if ((this.heldAt + this.heldSamples) >>> 0 !== this.timestamp) this.heldSamples = 0;
    for (let taken = 0; taken < SAMPLES_PER_FRAME; ) {
      if (this.heldSamples === 0) this.heldAt = (this.timestamp + taken) >>> 0;
      const count = Math.min(SAMPLES_PER_FRAME - taken, this.samplesPerPacket - this.heldSamples);
      const from = HEADER_BYTES + taken * sampleBytes;
      this.packet.copy(this.held, HEADER_BYTES + this.heldSamples * sampleBytes, from, from + count * sampleBytes);
      this.heldSamples += count;
      taken += count;
      if (this.heldSamples < this.samplesPerPacket) continue;
      writeHeader(this.held, payloadType, this.paused, this.sequence++, this.heldAt, this.ssrc);
      this.paused = false;
      this.heldSamples = 0;
      // A copy: what was sent before in this frame may still be on its way out.
      const whole = Buffer.from(this.held.subarray(0, HEADER_BYTES + this.samplesPerPacket * sampleBytes));
      this.send(whole, whole.length, address, port);
    }
  }

  private send(packet: Buffer, length: number, address: string, port: number): void {
    this.packets++;
    this.octets += length - HEADER_BYTES;
    this.socket.send(packet, 0, length, port, address);
  }

  /** Sends this frame of a key; nothing during the pause behind one. */
  sendDigit(sender: DigitSender, payloadType: number, address: string, port: number): void {
    const ago = sender.write(this.packet, HEADER_BYTES);
    this.pause();
    if (ago < 0) return;
    // Kept and not computed: frames lost on the way would move it, and a new timestamp is a new key.
    if (ago === 0) this.keyTimestamp = this.timestamp;
    writeHeader(this.packet, payloadType, ago === 0, this.sequence++, this.keyTimestamp, this.ssrc);
    this.send(this.packet, HEADER_BYTES + EVENT_BYTES, address, port);
  }
}
