/**
 * How many calls may be set up at once: those whose first event was sent to its owner and isn't acknowledged yet. The limit
 * follows what the acknowledgement takes, as a window of TCP follows its losses (additive increase, multiplicative
 * decrease; RFC 5681 3.1): where calls wait longer than the target fewer are let in, where they don't and the limit is used,
 * more. So refusing begins when the platform is full, whatever of it is full, and ends when it isn't. No clock, no I/O.
 */

/** A caller who waits this long for the log hears nothing of it: his phone's T1 is 500 ms. */
const TARGET_MS = 250;
/** By how much it falls: more where calls waited much longer than the target. */
const LESS = { least: 0.5, most: 0.9 };
const LIMIT = { first: 128, least: 8, most: 500 };

export type SetupLimit = {
  /** Would one more be refused? */
  isFull(): boolean;
  /** A call is being set up from now on. */
  began(): void;
  /** It is, or it was given up. */
  ended(beganMs: number, nowMs: number): void;
};

export function createSetupLimit(): SetupLimit {
  let limit = LIMIT.first;
  let underWay = 0;
  let loweredMs = Number.NEGATIVE_INFINITY;
  const lessAfter = (tookMs: number) => Math.min(LESS.most, Math.max(LESS.least, TARGET_MS / tookMs));
  return {
    isFull: () => underWay >= Math.floor(limit),
    began() {
      underWay++;
    },
    ended(beganMs, nowMs) {
      const wasUsed = underWay >= limit / 2;
      underWay--;
      if (nowMs - beganMs <= TARGET_MS) {
        if (wasUsed) limit = Math.min(LIMIT.most, limit + 1 / limit);
      } else if (beganMs >= loweredMs) {
        // Those that began before it was lowered say nothing of what that has changed.
        limit = Math.max(LIMIT.least, limit * lessAfter(nowMs - beganMs));
        loweredMs = nowMs;
      }
    },
  };
}
