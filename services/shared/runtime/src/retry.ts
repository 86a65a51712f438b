/** Tries again what the world refused, within limits; it refuses to try for ever. */
import { setTimeout as sleep } from 'node:timers/promises';

export type RetryLimits = {
  /** Tries in all, the first included. */
  tries: number;
  /** Wait before the second try; doubled for each further one. */
  firstMs: number;
  /** The longest wait. */
  maxMs: number;
  /** Is another try worth it? Default: yes. */
  retryable?: (error: unknown) => boolean;
  /** Ends the waiting; the last error is thrown. */
  signal?: AbortSignal;
};

/** The wait before try `n` (2, 3, …): doubled each time, capped, and spread over its upper half. */
export function backoffMs(n: number, limits: { firstMs: number; maxMs: number }, random = Math.random()): number {
  const full = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.max(0, n - 2));
  return full / 2 + (full / 2) * random;
}

/** The first answer of `attempt`. @throws its last error once the limits are reached. */
export async function retry<T>(attempt: (n: number) => Promise<T>, limits: RetryLimits): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await attempt(n);
    } catch (error) {
      if (n >= limits.tries || limits.signal?.aborted || limits.retryable?.(error) === false) throw error;
      await sleep(backoffMs(n + 1, limits), undefined, { signal: limits.signal }).catch(() => {
        throw error;
      });
    }
  }
}
