// What a session makes of the peer's packets: keys always, audio only while somebody listens to it.
// It refuses payload types that nobody agreed on, before they may latch anything.
import { decodingOf, STATIC_PAYLOAD_TYPE } from '../codec/g711.ts';
import { KeyDetector } from '../dsp/key-detector.ts';
import { DigitReceiver } from '../rtp/digit-receiver.ts';
import { JitterBuffer } from '../rtp/jitter.ts';
import { type Header, SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import type { Agreement } from '../sdp/negotiate.ts';

/** RFC 3389: comfort noise is a sign of life and no audio. */
const COMFORT_NOISE = 13;
const FRAMES_AT_ONCE_MAX = 10;

export class Hearing {
  /** The latest 20 ms, 8 kHz linear. */
  readonly heard = new Int16Array(SAMPLES_PER_FRAME);
  private readonly digits: DigitReceiver;
  private readonly onDigit: (digit: string, durationMs: number) => void;
  private detector: KeyDetector | undefined;
  private jitter: JitterBuffer | undefined;
  private agreement: Agreement | undefined;

  constructor(onDigit: (digit: string, durationMs: number) => void) {
    this.onDigit = onDigit;
    this.digits = new DigitReceiver(onDigit);
  }

  /** Keys are sought in the audio only where events were not agreed: else every key would count twice. */
  agree(agreement: Agreement): void {
    this.agreement = agreement;
    this.detector = agreement.eventPayloadType < 0 ? (this.detector ?? new KeyDetector(this.onDigit)) : undefined;
  }

  /** Somebody listens to the audio, or no longer. */
  listen(wanted: boolean): void {
    if (wanted || this.detector) this.jitter ??= new JitterBuffer();
    else this.jitter = undefined;
    if (!this.jitter) this.heard.fill(0);
  }

  /** The key that is down at this moment, or nothing. */
  get pressed(): string {
    return this.digits.pressed || (this.detector?.pressed ?? '');
  }

  /** The latest frame may be the beginning of a key's tone. */
  get suspected(): boolean {
    return this.detector?.suspected ?? false;
  }

  /** How far what is heard lies behind what arrives, in frames. */
  get delayFrames(): number {
    return this.jitter?.delayFrames ?? 0;
  }

  knows(payloadType: number): boolean {
    const { agreement } = this;
    if (!agreement) return false;
    return (
      payloadType === agreement.payloadType ||
      payloadType === agreement.eventPayloadType ||
      payloadType === STATIC_PAYLOAD_TYPE.PCMU ||
      payloadType === STATIC_PAYLOAD_TYPE.PCMA ||
      payloadType === COMFORT_NOISE
    );
  }

  packet(packet: Buffer, header: Header, nowMs: number): void {
    const { agreement } = this;
    const { payloadType, payloadStart: start, payloadEnd: end, timestamp } = header;
    if (!agreement || payloadType === COMFORT_NOISE) return;
    if (payloadType === agreement.eventPayloadType) this.digits.receive(packet, start, end, timestamp, nowMs);
    if (!this.jitter || payloadType === agreement.eventPayloadType) return;
    const law = payloadType === agreement.payloadType ? agreement.law : payloadType === 0 ? 'PCMU' : 'PCMA';
    this.jitter.put(timestamp, header.ssrc, packet, start, end, decodingOf(law), nowMs);
  }

  /** Once per frame: fills `heard` and gives each of the `frames` that passed to `listener`. */
  tick(nowMs: number, frames: number, listener: (() => void) | undefined): void {
    this.digits.tick(nowMs);
    if (!this.jitter) return;
    for (let n = Math.min(frames, FRAMES_AT_ONCE_MAX); n > 0; n--) {
      this.jitter.take(this.heard, nowMs - (n - 1) * 20);
      this.detector?.hear(this.heard);
      listener?.();
    }
  }
}
