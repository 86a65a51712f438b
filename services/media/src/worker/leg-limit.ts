// How many legs a worker takes: more while its packets go out in time, fewer once they don't. Pure; asked twice a second.

/** Before anything was measured. */
export const LEGS_FIRST = 150;
/** Ports and memory of a thread's sessions are bounded, however fast it is. */
export const LEGS_MOST = 1_000;
const LEGS_LEAST = 50;
const GROWS_BY = 100;
/** A share of frames given later than 10 ms that nobody hears; from twice of it on, fewer legs are taken. */
const LATE_SHARE = 0.005;
/** Fewer frames prove nothing: five legs' half second. */
const FRAMES_LEAST = 125;

/** Since the last look. `late`: given more than 10 ms after their time, or not at all. */
export type Paced = { frames: number; late: number };

export class LegLimit {
  private readonly most: number;
  private readonly least: number;
  private now: number;

  constructor({ first = LEGS_FIRST, most = LEGS_MOST }: { first?: number; most?: number } = {}) {
    this.now = first;
    this.most = Math.max(first, most);
    this.least = Math.min(first, LEGS_LEAST);
  }

  get legs(): number {
    return this.now;
  }

  /** @param held legs now. It grows only where what it allows is used, so that it never runs ahead of what was seen. */
  learn({ frames, late }: Paced, held: number): void {
    if (frames < FRAMES_LEAST) return;
    const share = late / frames;
    if (share > 2 * LATE_SHARE) this.now = Math.max(this.least, Math.min(this.now, Math.floor(held * 0.9)));
    else if (share <= LATE_SHARE && held > this.now / 2) this.now = Math.min(this.most, this.now + GROWS_BY);
  }
}
