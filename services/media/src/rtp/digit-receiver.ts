// Telephone events (RFC 4733) heard: one key press per RTP timestamp, with its duration, even if its end was lost.
// It refuses event codes beyond the sixteen keys and repeats of what it already told.
import { timestampDistance } from './packet.ts';

export const KEYS = '0123456789*#ABCD';
/** Updates come every 50 ms at most (RFC 4733 2.5.1.2); three lost ones and some jitter mean that the end was lost. */
export const END_LOST_AFTER_MS = 240;
const TOLD_KEPT = 8;

export class DigitReceiver {
  private readonly told = new Uint32Array(TOLD_KEPT);
  private toldCount = 0;
  private key = -1;
  private timestamp = 0;
  private duration = 0;
  private lastMs = 0;
  private readonly onDigit: (digit: string, durationMs: number) => void;

  constructor(onDigit: (digit: string, durationMs: number) => void) {
    this.onDigit = onDigit;
  }

  /** The key that is down at this moment, or nothing. */
  get pressed(): string {
    return this.key < 0 ? '' : KEYS[this.key]!;
  }

  /** Takes the payload `packet[start..end)` of an event packet. */
  receive(packet: Buffer, start: number, end: number, timestamp: number, nowMs: number): void {
    if (end - start < 4 || packet[start]! >= KEYS.length || this.wasTold(timestamp)) return;
    if (this.key >= 0 && timestamp !== this.timestamp) {
      // An older key than the one being pressed is a straggler of the network.
      if (timestampDistance(timestamp, this.timestamp) < 0) return;
      this.tell();
    }
    const duration = packet.readUInt16BE(start + 2);
    if (this.key < 0) this.duration = 0;
    this.key = packet[start]!;
    this.timestamp = timestamp;
    this.duration = Math.max(this.duration, duration);
    this.lastMs = nowMs;
    if (packet[start + 1]! & 0x80) this.tell();
  }

  /** Called every frame: tells a key whose end packets were lost. */
  tick(nowMs: number): void {
    if (this.key >= 0 && nowMs - this.lastMs > END_LOST_AFTER_MS) this.tell();
  }

  private tell(): void {
    this.told[this.toldCount++ % TOLD_KEPT] = this.timestamp;
    const digit = KEYS[this.key]!;
    this.key = -1;
    this.onDigit(digit, Math.round(this.duration / 8));
  }

  private wasTold(timestamp: number): boolean {
    for (let i = 0; i < Math.min(this.toldCount, TOLD_KEPT); i++) if (this.told[i] === timestamp) return true;
    return false;
  }
}
