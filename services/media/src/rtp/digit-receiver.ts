// Telephone events (RFC 4733) heard: each key press once, with its duration, even if its end was lost.
// A repeat is known by stream, timestamp, event, its end and its sequence: some gateways send every key under one timestamp.
// It refuses event codes beyond the sixteen keys and repeats of what it already told.
import { type Header, sequenceDistance, timestampDistance } from './packet.ts';

export const KEYS = '0123456789*#ABCD';
/** Updates come every 50 ms at most (RFC 4733 2.5.1.2); three lost ones and some jitter mean that the end was lost. */
export const END_LOST_AFTER_MS = 240;
const TOLD_KEPT = 8;
/** RFC 4733 2.5.1.3: a longer event goes on as a new segment whose timestamp is this much later. */
const SEGMENT = 0xffff;

/** One press: which stream and event, its first packet heard and its latest, and how long it is, in samples. */
type Press = {
  ssrc: number;
  timestamp: number;
  key: number;
  first: number;
  sequence: number;
  duration: number;
  /** Samples of the segments before this one. */
  before: number;
  ended: boolean;
};

export class DigitReceiver {
  /** What was told, the newest last. */
  private readonly told: Press[] = [];
  private current: Press | undefined;
  private lastMs = 0;
  private readonly onDigit: (digit: string, durationMs: number) => void;

  constructor(onDigit: (digit: string, durationMs: number) => void) {
    this.onDigit = onDigit;
  }

  /** The key that is down at this moment, or nothing. */
  get pressed(): string {
    return this.current ? KEYS[this.current.key]! : '';
  }

  /** Takes an event packet; `header` is its own. */
  receive(packet: Buffer, header: Header, nowMs: number): void {
    const { payloadStart: start, payloadEnd: end, timestamp, sequence, ssrc } = header;
    if (end - start < 4 || packet[start]! >= KEYS.length) return;
    const key = packet[start]!;
    const ended = (packet[start + 1]! & 0x80) !== 0;
    const duration = packet.readUInt16BE(start + 2);
    const heard: Press = { ssrc, timestamp, key, first: sequence, sequence, duration, before: 0, ended };
    if (!this.take(heard)) return;
    this.lastMs = nowMs;
    if (ended) this.tell();
  }

  /** Called every frame: tells a key whose end packets were lost. */
  tick(nowMs: number): void {
    if (this.current && nowMs - this.lastMs > END_LOST_AFTER_MS) this.tell();
  }

  /** Is it of the key that is down, or of a new one? False: a repeat or a straggler, which changes nothing. */
  private take(heard: Press): boolean {
    const { current } = this;
    if (this.isRepeat(heard)) return false;
    if (current && isOf(current, heard)) {
      const isLater = sequenceDistance(heard.sequence, current.sequence) > 0;
      // The end of the first was lost, and the same key is pressed again under its timestamp.
      if (isLater && heard.duration < current.duration) return this.begin(heard);
      if (isLater) current.sequence = heard.sequence;
      current.duration = Math.max(current.duration, heard.duration);
      current.ended ||= heard.ended;
      return true;
    }
    if (current && isNextSegment(current, heard)) {
      this.current = { ...heard, before: current.before + SEGMENT };
      return true;
    }
    // An older key than the one being pressed is a straggler of the network.
    if (current && isOlder(heard, current)) return false;
    return this.begin(heard);
  }

  private begin(heard: Press): boolean {
    this.tell();
    this.current = heard;
    return true;
  }

  private tell(): void {
    const { current } = this;
    if (!current) return;
    this.current = undefined;
    this.told.push(current);
    if (this.told.length > TOLD_KEPT) this.told.shift();
    this.onDigit(KEYS[current.key]!, Math.round((current.before + current.duration) / 8));
  }

  private isRepeat(heard: Press): boolean {
    const known = this.told.findLast((press) => isOf(press, heard));
    if (!known) return false;
    const { current } = this;
    if (current && isOf(current, heard) && sequenceDistance(heard.sequence, current.first) >= 0) return false;
    const isLater = sequenceDistance(heard.sequence, known.sequence) > 0;
    // Behind an end nothing of that press comes but its end again; a press whose end was lost only grows longer.
    const isRestart = isLater && !(current && isOf(current, heard));
    if (isRestart && !heard.ended && (known.ended || heard.duration < known.duration)) return false;
    if (isLater) known.sequence = heard.sequence;
    return true;
  }
}

const isOf = (press: Press, heard: Press) =>
  press.key === heard.key && press.timestamp === heard.timestamp && press.ssrc === heard.ssrc;

const isNextSegment = (press: Press, heard: Press) =>
  press.key === heard.key &&
  press.ssrc === heard.ssrc &&
  timestampDistance(heard.timestamp, press.timestamp) === SEGMENT;

function isOlder(heard: Press, press: Press): boolean {
  if (heard.ssrc !== press.ssrc) return false;
  const distance = timestampDistance(heard.timestamp, press.timestamp);
  return distance < 0 || (distance === 0 && sequenceDistance(heard.sequence, press.sequence) <= 0);
}
