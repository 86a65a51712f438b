// What a session makes of the packets that its peer sends: keys always, audio only while somebody listens to it.
// It refuses payload types that nobody agreed on, before they may latch anything.
import { staticCodec } from '../codec/codecs.ts';
import { KeyDetector } from '../dsp/key-detector.ts';
import { DigitReceiver } from '../rtp/digit-receiver.ts';
import { JitterBuffer } from '../rtp/jitter.ts';
import { type Header, SAMPLES_PER_FRAME } from '../rtp/packet.ts';
import type { NegotiatedMedia } from '../sdp/negotiate.ts';

/** RFC 3389: comfort noise is a sign of life and no audio. */
const COMFORT_NOISE = 13;
const FRAMES_AT_ONCE_MAX = 10;

export class RtpReceiver {
  /** The latest 20 ms, 8 kHz linear. */
  readonly heard = new Int16Array(SAMPLES_PER_FRAME);
  private readonly digits: DigitReceiver;
  private readonly onDigit: (digit: string, durationMs: number) => void;
  private detector: KeyDetector | undefined;
  private jitter: JitterBuffer | undefined;
  private media: NegotiatedMedia | undefined;

  constructor(onDigit: (digit: string, durationMs: number) => void) {
    this.onDigit = onDigit;
    this.digits = new DigitReceiver(onDigit);
  }

  /** Keys are sought in the audio only where events were not agreed: else every key would count twice. */
  agree(media: NegotiatedMedia): void {
    this.media = media;
    this.detector = media.eventPayloadType < 0 ? (this.detector ?? new KeyDetector(this.onDigit)) : undefined;
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
    const { media } = this;
    if (!media) return false;
    return (
      payloadType === media.payloadType ||
      payloadType === media.eventPayloadType ||
      payloadType === COMFORT_NOISE ||
      staticCodec(payloadType) !== undefined
    );
  }

  packet(packet: Buffer, header: Header, nowMs: number): void {
    const { media } = this;
    const { payloadType, payloadStart: start, payloadEnd: end, timestamp } = header;
    if (!media || payloadType === COMFORT_NOISE) return;
    if (payloadType === media.eventPayloadType) this.digits.receive(packet, header, nowMs);
    if (!this.jitter || payloadType === media.eventPayloadType) return;
    const codec = payloadType === media.payloadType ? media.codec : staticCodec(payloadType);
    if (codec) this.jitter.put(timestamp, header.ssrc, packet, start, end, codec, nowMs);
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
