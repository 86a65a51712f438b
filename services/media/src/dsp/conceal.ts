// Conceals lost frames: repeats the last pitch period, fading to silence within 60 ms, and blends back in.
// It refuses to make up speech for longer: a long gap is silence.
import { SAMPLES_PER_FRAME } from '../rtp/packet.ts';

const HISTORY = 320;
const LAG_MIN = 40;
const LAG_MAX = 160;
const FADE_SAMPLES = 480;
const BLEND_SAMPLES = 32;

export class Concealer {
  private readonly history = new Int16Array(HISTORY);
  private lag = 0;
  private lost = 0;

  /** Takes a frame that arrived; blends its start where a gap just ended. `frame` is changed in place. */
  heard(frame: Int16Array): void {
    if (this.lost > 0) {
      for (let i = 0; i < BLEND_SAMPLES; i++) {
        const concealed = this.conceal(i);
        frame[i] = concealed + ((frame[i]! - concealed) * i) / BLEND_SAMPLES;
      }
      this.lost = 0;
    }
    this.history.copyWithin(0, SAMPLES_PER_FRAME);
    this.history.set(frame, HISTORY - SAMPLES_PER_FRAME);
  }

  /** Fills `frame` in place of one that is missing. */
  missing(frame: Int16Array): void {
    if (this.lost === 0) this.lag = this.pitchLag();
    for (let i = 0; i < SAMPLES_PER_FRAME; i++) frame[i] = this.conceal(i);
    this.lost += SAMPLES_PER_FRAME;
  }

  // The first 10 ms keep their strength, since most gaps are one packet long.
  private conceal(i: number): number {
    const at = this.lost + i;
    const gain = at < 80 ? 1 : Math.max(0, 1 - (at - 80) / (FADE_SAMPLES - 80));
    return gain === 0 ? 0 : gain * this.history[HISTORY - this.lag + (at % this.lag)]!;
  }

  // The lag at which the last 10 ms resemble themselves most: 50 to 200 Hz of pitch.
  private pitchLag(): number {
    let best = LAG_MAX;
    let bestScore = 0;
    for (let lag = LAG_MIN; lag <= LAG_MAX; lag++) {
      let product = 0;
      let energy = 1;
      for (let i = HISTORY - 80; i < HISTORY; i++) {
        const past = this.history[i - lag]!;
        product += this.history[i]! * past;
        energy += past * past;
      }
      const score = product > 0 ? (product * product) / energy : 0;
      if (score > bestScore) {
        bestScore = score;
        best = lag;
      }
    }
    return best;
  }
}
