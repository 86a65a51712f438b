// A jitter buffer over decoded samples: packets of any length go in by timestamp, 20 ms frames come out in time.
// Its delay follows the spread of arrivals between 40 and 200 ms. Packets more than half a second off begin it anew.
import type { Codec } from '../codec/codec.ts';
import { Concealer } from '../dsp/conceal.ts';
import { SAMPLES_PER_FRAME, timestampDistance } from './packet.ts';

const RING = 8192;
const RING_MASK = RING - 1;
const WINDOW_MS = 2000;
const DELAY_MIN = 320;
const DELAY_MAX = 1600;
const MARGIN = 80;
const RESYNC = 4000;

export class JitterBuffer {
  /** Frames that had to be concealed, and packets that came too late, for the figures. */
  concealed = 0;
  late = 0;
  private readonly samples = new Int16Array(RING);
  private readonly present = new Uint8Array(RING);
  private readonly concealer = new Concealer();
  private started = false;
  private cursor = 0;
  private ssrc = 0;
  // Transit is arrival minus timestamp, in samples: least over two windows is the network at its fastest.
  private base = 0;
  private windowEndsMs = 0;
  private leastNow = 0;
  private mostNow = 0;
  private leastBefore = 0;
  private mostBefore = 0;

  /** Takes what `codec` says in `packet` from `start` up to `end`. `nowMs` is the clock that `take` is given too. */
  put(
    timestamp: number,
    ssrc: number,
    packet: Uint8Array,
    start: number,
    end: number,
    codec: Codec,
    nowMs: number,
  ): void {
    const count = Math.floor((end - start) / codec.sampleBytes);
    if (count > RESYNC || count <= 0) return;
    const arrival = Math.round(nowMs * 8) | 0;
    const jumped = Math.abs(timestampDistance(timestamp, this.cursor)) > RESYNC;
    if (!this.started || ssrc !== this.ssrc || jumped) this.begin(timestamp, ssrc, arrival, nowMs);
    this.observe((arrival - timestamp - this.base) | 0, nowMs);
    const behind = timestampDistance(this.cursor, timestamp);
    if (behind >= count) this.late++;
    // At once up to the end of the ring, and the rest from its start.
    for (let done = Math.max(0, behind); done < count; ) {
      const slot = (timestamp + done) & RING_MASK;
      const run = Math.min(count - done, RING - slot);
      const from = start + done * codec.sampleBytes;
      codec.decode(packet, from, from + run * codec.sampleBytes, this.samples, slot);
      this.present.fill(1, slot, slot + run);
      done += run;
    }
  }

  private begin(timestamp: number, ssrc: number, arrival: number, nowMs: number): void {
    this.started = true;
    this.ssrc = ssrc;
    this.present.fill(0);
    this.base = (arrival - timestamp) | 0;
    this.leastNow = this.mostNow = this.leastBefore = this.mostBefore = 0;
    this.windowEndsMs = nowMs + WINDOW_MS;
    this.cursor = (timestamp - DELAY_MIN) | 0;
  }

  private observe(transit: number, nowMs: number): void {
    if (nowMs >= this.windowEndsMs) {
      this.leastBefore = this.leastNow;
      this.mostBefore = this.mostNow;
      this.leastNow = this.mostNow = transit;
      this.windowEndsMs = nowMs + WINDOW_MS;
    }
    if (transit < this.leastNow) this.leastNow = transit;
    if (transit > this.mostNow) this.mostNow = transit;
  }

  /** Frames of 20 ms from the arrival of a packet until it is taken, about. */
  get delayFrames(): number {
    return Math.round(this.delay() / SAMPLES_PER_FRAME);
  }

  /** Samples between the fastest arrival and the moment of playing. */
  private delay(): number {
    const spread = Math.max(this.mostNow, this.mostBefore) - Math.min(this.leastNow, this.leastBefore);
    return Math.max(DELAY_MIN, Math.min(DELAY_MAX, spread + SAMPLES_PER_FRAME + MARGIN));
  }

  /** The next 20 ms into `frame`; false where it is silence or concealment. Called once per 20 ms. */
  take(frame: Int16Array, nowMs: number): boolean {
    if (!this.started) {
      frame.fill(0);
      return false;
    }
    const least = Math.min(this.leastNow, this.leastBefore);
    const due = (Math.round(nowMs * 8) - this.base - least - this.delay()) | 0;
    const behind = timestampDistance(due, this.cursor);
    // Too early: wait a frame, and the next ones have time to arrive.
    if (behind < -SAMPLES_PER_FRAME) return this.conceal(frame);
    // Too late by far: the sender's clock or a shrunken spread; step over the oldest audio, which nobody will miss.
    if (behind > RESYNC) this.cursor = due;
    else if (behind > 2 * SAMPLES_PER_FRAME) this.drop(SAMPLES_PER_FRAME);
    return this.copy(frame);
  }

  private drop(count: number): void {
    for (let i = 0; i < count; i++) this.present[(this.cursor + i) & RING_MASK] = 0;
    this.cursor = (this.cursor + count) | 0;
  }

  private copy(frame: Int16Array): boolean {
    let found = 0;
    for (let i = 0; i < SAMPLES_PER_FRAME; i++) {
      const slot = (this.cursor + i) & RING_MASK;
      found += this.present[slot]!;
      frame[i] = this.present[slot] ? this.samples[slot]! : 0;
      this.present[slot] = 0;
    }
    this.cursor = (this.cursor + SAMPLES_PER_FRAME) | 0;
    if (found < SAMPLES_PER_FRAME / 2) return this.conceal(frame);
    this.concealer.heard(frame);
    return true;
  }

  private conceal(frame: Int16Array): false {
    this.concealed++;
    this.concealer.missing(frame);
    return false;
  }
}
