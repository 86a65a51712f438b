// Keys heard in the audio itself (Goertzel, after ITU-T Q.24): only for a leg that negotiated no telephone-event.
// It refuses speech that merely contains two tones: twist, purity and the second harmonic are checked.
import { KEY_FREQUENCIES, keyAt } from './tone.ts';

const WINDOW = 205;
const HOP = 80;
const HOP_MS = 10;
const ENERGY_MIN = WINDOW * 200 ** 2;
const PURITY_MIN = 0.65;
const TWIST_MAX = 10 ** 0.8;
const ROW_SHARE_MIN = PURITY_MIN / (1 + TWIST_MAX);
const RIVAL_RATIO = 4;
const HARMONIC_RATIO = 0.15;
const HITS_NEEDED = 3;
const MISSES_NEEDED = 3;

const COEFFICIENTS = Float64Array.from(KEY_FREQUENCIES, (hertz) => 2 * Math.cos((2 * Math.PI * hertz) / 8000));
const HARMONICS = Float64Array.from(KEY_FREQUENCIES, (hertz) => 2 * Math.cos((4 * Math.PI * hertz) / 8000));

export class KeyDetector {
  private readonly window = new Float64Array(WINDOW);
  private readonly power = new Float64Array(8);
  private filled = 0;
  private candidate = '';
  private hits = 0;
  private key = '';
  private keyHops = 0;
  private misses = 0;
  private readonly onDigit: (digit: string, durationMs: number) => void;

  constructor(onDigit: (digit: string, durationMs: number) => void) {
    this.onDigit = onDigit;
  }

  /** The key whose tone sounds at this moment, or nothing. */
  get pressed(): string {
    return this.key;
  }

  /** What might be the beginning of a key's tone, and might be speech. */
  get suspected(): boolean {
    return this.hits > 0;
  }

  /** Takes one frame of 8 kHz samples. */
  hear(frame: Int16Array): void {
    for (let i = 0; i < frame.length; i += HOP) {
      this.window.copyWithin(0, HOP);
      for (let j = 0; j < HOP; j++) this.window[WINDOW - HOP + j] = frame[i + j]!;
      this.filled = Math.min(WINDOW, this.filled + HOP);
      if (this.filled === WINDOW) this.decide(this.classify());
    }
  }

  private decide(found: string): void {
    if (this.key) {
      this.keyHops++;
      this.misses = found === this.key ? 0 : this.misses + 1;
      if (this.misses < MISSES_NEEDED) return;
      // The window sees a tone for about its own length longer or shorter; the misses were not the tone.
      this.onDigit(this.key, (this.keyHops - this.misses + HITS_NEEDED) * HOP_MS);
      this.key = '';
      this.candidate = '';
      this.hits = 0;
      this.misses = 0;
      return;
    }
    this.hits = found !== '' && found === this.candidate ? this.hits + 1 : found ? 1 : 0;
    this.candidate = found;
    if (this.hits < HITS_NEEDED) return;
    this.key = found;
    this.keyHops = 0;
    this.hits = 0;
  }

  /** The key that the window holds, or nothing. */
  private classify(): string {
    let energy = 0;
    for (let i = 0; i < WINDOW; i++) energy += this.window[i]! ** 2;
    if (energy < ENERGY_MIN) return '';
    for (let f = 0; f < 4; f++) this.power[f] = this.goertzel(COEFFICIENTS[f]!);
    const row = this.strongest(0);
    // No key's row is this weak, whatever its twist: most of speech and noise ends here.
    if (this.power[row]! < (ROW_SHARE_MIN * energy * WINDOW) / 2) return '';
    for (let f = 4; f < 8; f++) this.power[f] = this.goertzel(COEFFICIENTS[f]!);
    const column = this.strongest(4);
    const low = this.power[row]!;
    const high = this.power[column]!;
    if (high > low * TWIST_MAX || low > high * TWIST_MAX) return '';
    // A pure sine of energy E has Goertzel power E·N/2.
    if (low + high < (PURITY_MIN * energy * WINDOW) / 2) return '';
    if (this.rivals(0, row) || this.rivals(4, column)) return '';
    if (this.goertzel(HARMONICS[row]!) > HARMONIC_RATIO * low) return '';
    return keyAt(row, column - 4);
  }

  private goertzel(coefficient: number): number {
    let previous = 0;
    let before = 0;
    for (let i = 0; i < WINDOW; i++) {
      const next = this.window[i]! + coefficient * previous - before;
      before = previous;
      previous = next;
    }
    return previous * previous + before * before - coefficient * previous * before;
  }

  private strongest(from: number): number {
    let best = from;
    for (let f = from + 1; f < from + 4; f++) if (this.power[f]! > this.power[best]!) best = f;
    return best;
  }

  private rivals(from: number, best: number): boolean {
    for (let f = from; f < from + 4; f++)
      if (f !== best && this.power[f]! * RIVAL_RATIO > this.power[best]!) return true;
    return false;
  }
}
