// The shell's clock as the transactions use it.

export interface Clock {
  /** Milliseconds that never go back. */
  nowMs(): number;
  /** Calls `fire` once after `ms`; the returned function calls that off. */
  after(ms: number, fire: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};
