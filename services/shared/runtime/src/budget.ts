/** A rate with a burst: so many a second in the long run, and so many at once. It refuses by answering false and never queues. */

/** `nowMs` is of any clock that only goes forward; `amount` is 1 where it isn't said. What is refused takes nothing. */
export type Budget = {
  take(nowMs: number, amount?: number): boolean;
  /** Gives back what was taken in vain. */
  give(amount?: number): void;
  /** In how many ms so much may be taken; 0: now. */
  waitMs(nowMs: number, amount: number): number;
};

export function createBudget(aSecond: number, atOnce: number): Budget {
  let left = atOnce;
  let since = 0;
  const refill = (nowMs: number) => {
    left = Math.min(atOnce, left + ((nowMs - since) * aSecond) / 1000);
    since = nowMs;
  };
  return {
    take(nowMs, amount = 1) {
      refill(nowMs);
      if (left < amount) return false;
      left -= amount;
      return true;
    },
    give(amount = 1) {
      left = Math.min(atOnce, left + amount);
    },
    waitMs(nowMs, amount) {
      refill(nowMs);
      return Math.max(0, Math.ceil(((Math.min(amount, atOnce) - left) * 1000) / aSecond));
    },
  };
}
