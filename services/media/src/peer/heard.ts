// What a phone heard: audio laid out by RTP timestamp, keys, and how regularly packets came.
// It refuses more than ten minutes; what comes later is counted and not kept.
import { wavFile } from '../audio/wav-header.ts';
import type { Codec } from '../codec/codec.ts';
import { DigitReceiver } from '../rtp/digit-receiver.ts';
import { type Header, timestampDistance } from '../rtp/packet.ts';

const SAMPLES_MAX = 600 * 8000;
const LATE_MS = 5;

export type HeardDigit = { digit: string; durationMs: number; atMs: number };

export class Heard {
  packets = 0;
  /** Longest time between two packets, and packets more than 5 ms behind the fastest path so far. */
  longestGapMs = 0;
  latePackets = 0;
  firstPacketMs = 0;
  lastPacketMs = 0;
  readonly digits: HeardDigit[] = [];
  private samples = new Int16Array(16_000);
  private length = 0;
  private ssrc = 0;
  private baseTimestamp = 0;
  private baseSample = 0;
  private leastTransit = Number.POSITIVE_INFINITY;
  private readonly receiver: DigitReceiver;
  private nowMs = 0;

  constructor() {
    this.receiver = new DigitReceiver((digit, durationMs) => {
      this.digits.push({ digit, durationMs, atMs: this.nowMs - this.firstPacketMs });
    });
  }

  /** 8 kHz samples since the first packet; what was never received is silence. */
  get pcm(): Int16Array {
    return this.samples.subarray(0, this.length);
  }

  get keys(): string {
    return this.digits.map(({ digit }) => digit).join('');
  }

  wav(): Buffer {
    return wavFile(this.pcm);
  }

  /** Takes a packet whose payload is audio by `codec`, or a telephone event where that is undefined. */
  take(packet: Buffer, header: Header, codec: Codec | undefined, nowMs: number): void {
    this.nowMs = nowMs;
    if (this.packets === 0) this.firstPacketMs = nowMs;
    else this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastPacketMs);
    this.lastPacketMs = nowMs;
    if (this.packets++ === 0 || header.ssrc !== this.ssrc) this.rebase(header, nowMs);
    if (codec) this.place(packet, header, codec, nowMs);
    else this.receiver.receive(packet, header, nowMs);
  }

  /** Owed every 20 ms, for keys whose end was lost. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    this.receiver.tick(nowMs);
  }

  private rebase(header: Header, nowMs: number): void {
    this.ssrc = header.ssrc;
    this.baseTimestamp = header.timestamp;
    this.baseSample = Math.max(this.length, Math.round((nowMs - this.firstPacketMs) * 8));
    this.leastTransit = Number.POSITIVE_INFINITY;
  }

  private place(packet: Buffer, header: Header, codec: Codec, nowMs: number): void {
    const ahead = timestampDistance(header.timestamp, this.baseTimestamp);
    const transit = nowMs - ahead / 8;
    this.leastTransit = Math.min(this.leastTransit, transit);
    if (transit - this.leastTransit > LATE_MS) this.latePackets++;
    const count = Math.floor((header.payloadEnd - header.payloadStart) / codec.sampleBytes);
    const start = this.baseSample + ahead;
    if (start < 0 || start + count > SAMPLES_MAX) return;
    this.reserve(start + count);
    const end = header.payloadStart + count * codec.sampleBytes;
    codec.decode(packet, header.payloadStart, end, this.samples, start);
    this.length = Math.max(this.length, start + count);
  }

  private reserve(length: number): void {
    if (length <= this.samples.length) return;
    const larger = new Int16Array(Math.min(SAMPLES_MAX, Math.max(length, 2 * this.samples.length)));
    larger.set(this.samples);
    this.samples = larger;
  }
}
