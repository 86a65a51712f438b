// One loop per worker that gives every session its 20 ms, in ten groups 2 ms apart so that packets don't come in bursts.
// Once behind it refuses to catch up: a session is told how many frames passed, and sends one.

export const FRAME_MS = 20;
const PHASES = 10;
const SLOT_MS = FRAME_MS / PHASES;
/** A packet this much behind its moment counts as late in the figures. */
const LATE_MS = 5;
/** And so much is heard: what decides how many legs a worker takes. */
const HEARD_MS = 10;

/** What the pacer drives. Within a group everybody hears before anybody speaks, so that bridged legs are in step. */
export type Paced = {
  hear(nowMs: number, frames: number): void;
  speak(nowMs: number, frames: number): void;
};

export class Pacer {
  /** Frames given, given late, so late that it is heard, and dropped because the thread was away. */
  readonly figures = { frames: 0, late: 0, heardLate: 0, dropped: 0, worstMs: 0 };
  private readonly groups: Set<Paced>[] = Array.from({ length: PHASES }, () => new Set());
  private timer: NodeJS.Timeout | undefined;
  private startMs = 0;
  private slot = 0;

  /** Gives `one` a place in the smallest group, or in that of `beside`. */
  add(one: Paced, beside?: Paced): void {
    this.remove(one);
    const group =
      (beside && this.groups.find((candidate) => candidate.has(beside))) ??
      this.groups.reduce((least, candidate) => (candidate.size < least.size ? candidate : least));
    group.add(one);
    if (!this.timer) this.start();
  }

  remove(one: Paced): void {
    for (const group of this.groups) group.delete(one);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const group of this.groups) group.clear();
  }

  private start(): void {
    this.startMs = performance.now();
    this.slot = 0;
    this.wait();
  }

  private wait(): void {
    let ahead = 1;
    while (ahead < PHASES && this.groups[(this.slot + ahead) % PHASES]!.size === 0) ahead++;
    const dueMs = this.startMs + (this.slot + ahead) * SLOT_MS;
    this.timer = setTimeout(() => this.wake(), Math.max(0, dueMs - performance.now()));
  }

  private wake(): void {
    const reached = Math.floor((performance.now() - this.startMs) / SLOT_MS);
    // Each group once, in the order in which they were due, however many of its turns went by.
    for (let due = this.slot + 1; due <= reached && due <= this.slot + PHASES; due++) {
      const frames = 1 + Math.floor((reached - due) / PHASES);
      this.run(this.groups[due % PHASES]!, this.startMs + due * SLOT_MS + (frames - 1) * FRAME_MS, frames);
    }
    this.slot = Math.max(this.slot, reached);
    if (this.groups.every((group) => group.size === 0)) this.timer = undefined;
    else this.wait();
  }

  private run(group: Set<Paced>, dueMs: number, frames: number): void {
    if (group.size === 0) return;
    for (const one of group) {
      try {
        one.hear(performance.now(), frames);
      } catch (error) {
        this.expel(one, error);
      }
    }
    for (const one of group) {
      const now = performance.now();
      try {
        one.speak(now, frames);
      } catch (error) {
        this.expel(one, error);
      }
      const behindMs = now - dueMs;
      this.figures.frames++;
      if (behindMs > LATE_MS) this.figures.late++;
      if (behindMs > HEARD_MS) this.figures.heardLate++;
      if (behindMs > this.figures.worstMs) this.figures.worstMs = behindMs;
    }
    this.figures.dropped += (frames - 1) * group.size;
  }

  // A broken promise of ours makes one session mute, not the thread: the others have calls to go on with.
  private expel(one: Paced, error: unknown): void {
    this.remove(one);
    process.emitWarning(
      `a session was taken off the paced loop: ${error instanceof Error ? error.stack : String(error)}`,
    );
  }
}
