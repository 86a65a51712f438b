// The shell's clock as the transactions use it. Tests pass one that they move by hand.

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

/** A clock that stands until a test moves it. */
export function manualClock(): Clock & { advance(ms: number): void; waiting(): number } {
  let now = 0;
  let entries: { due: number; fire: () => void }[] = [];
  return {
    nowMs: () => now,
    after(ms, fire) {
      const entry = { due: now + ms, fire };
      entries.push(entry);
      return () => {
        entries = entries.filter((other) => other !== entry);
      };
    },
    waiting: () => entries.length,
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = entries.filter((entry) => entry.due <= end).sort((a, b) => a.due - b.due)[0];
        if (!next) break;
        entries = entries.filter((other) => other !== next);
        now = next.due;
        next.fire();
      }
      now = end;
    },
  };
}
