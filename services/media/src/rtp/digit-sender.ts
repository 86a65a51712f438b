// Telephone events (RFC 4733) spoken: a key becomes a run of packets with one timestamp, its end sent three times.
// It refuses unknown keys and more than 32 keys waiting.
import { KEYS } from './digit-receiver.ts';
import { SAMPLES_PER_FRAME } from './packet.ts';

const WAITING_MAX = 32;
const END_REPEATS = 3;
/** RFC 4733 2.5.1.5 asks for a pause that the far end can hear; 60 ms suits relays that turn events into tones. */
const PAUSE_FRAMES = 3;
const DURATION_MIN_MS = 40;
const DURATION_MAX_MS = 8000;
const VOLUME_DBM0 = 10;

export const EVENT_BYTES = 4;

export class DigitSender {
  private readonly waiting: { code: number; frames: number }[] = [];
  private code = -1;
  private frames = 0;
  private sent = 0;
  private pause = 0;

  /** Queues a key of `durationMs` (40 ms to 8 s); false where it is no key or too many wait. */
  press(digit: string, durationMs: number): boolean {
    const code = KEYS.indexOf(digit.toUpperCase());
    if (digit.length !== 1 || code < 0 || this.waiting.length >= WAITING_MAX) return false;
    const bounded = Math.max(DURATION_MIN_MS, Math.min(DURATION_MAX_MS, durationMs));
    this.waiting.push({ code, frames: Math.ceil(bounded / 20) });
    return true;
  }

  /** Whether this frame belongs to a key; then `write` is owed once and audio is silent. */
  get busy(): boolean {
    return this.code >= 0 || this.pause > 0 || this.waiting.length > 0;
  }

  /**
   * Writes this frame's event payload at `at` and returns how many samples ago the key began; -1 for a pause.
   * The first packet of a key (0 returned) carries the marker bit.
   */
  write(packet: Buffer, at: number): number {
    if (this.pause > 0) {
      this.pause--;
      return -1;
    }
    if (this.code < 0 && !this.next()) return -1;
    const ended = this.sent >= this.frames;
    const duration = Math.min(this.sent + 1, this.frames) * SAMPLES_PER_FRAME;
    packet[at] = this.code;
    packet[at + 1] = (ended ? 0x80 : 0) | VOLUME_DBM0;
    packet.writeUInt16BE(Math.min(duration, 0xffff), at + 2);
    const ago = this.sent * SAMPLES_PER_FRAME;
    if (++this.sent === this.frames + END_REPEATS) {
      this.code = -1;
      this.pause = PAUSE_FRAMES;
    }
    return ago;
  }

  private next(): boolean {
    const key = this.waiting.shift();
    if (!key) return false;
    this.code = key.code;
    this.frames = key.frames;
    this.sent = 0;
    return true;
  }
}
