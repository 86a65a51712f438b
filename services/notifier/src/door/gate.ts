/** How many requests may be under way: in all and to one customer's server. It refuses a queue without end. */
import { DoorError } from './refusals.ts';

export type GateLimits = { total: number; perKey: number; waitingPerKey: number };

export const GATE_LIMITS: GateLimits = { total: 400, perKey: 32, waitingPerKey: 200 };

export type Gate = {
  /**
   * Resolves when it is one's turn, with what must be called afterwards.
   * @throws DoorError `connect` where too many wait, `timeout` where one's turn did not come within `waitMs`.
   */
  enter(key: string, waitMs: number): Promise<() => void>;
  /** Requests under way. */
  busy(): number;
};

export function createGate(limits: GateLimits = GATE_LIMITS): Gate {
  const busyOf = new Map<string, number>();
  const waiting = new Map<string, Array<() => void>>(); // In order of arrival, over all keys as within one.
  let busy = 0;

  const free = (key: string) => busy < limits.total && (busyOf.get(key) ?? 0) < limits.perKey;

  function leave(key: string): void {
    busy--;
    const left = busyOf.get(key)! - 1;
    if (left === 0) busyOf.delete(key);
    else busyOf.set(key, left);
    for (const [next, queue] of waiting) {
      if (!free(next)) continue;
      const start = queue.shift()!;
      if (queue.length === 0) waiting.delete(next);
      start();
      return;
    }
  }
  function begin(key: string): () => void {
    busy++;
    busyOf.set(key, (busyOf.get(key) ?? 0) + 1);
    let left = false;
    return () => {
      if (!left) leave(key);
      left = true;
    };
  }
  return {
    enter(key, waitMs) {
      if (free(key)) return Promise.resolve(begin(key));
      const queue = waiting.get(key) ?? [];
      if (queue.length >= limits.waitingPerKey)
        return Promise.reject(new DoorError('connect', `${queue.length} requests wait for this server already`));
      waiting.set(key, queue);
      return new Promise((done, failed) => {
        const turn = () => {
          clearTimeout(timer);
          done(begin(key));
        };
        const timer = setTimeout(() => {
          queue.splice(queue.indexOf(turn), 1);
          if (queue.length === 0) waiting.delete(key);
          failed(new DoorError('timeout', `no turn within ${waitMs} ms`));
        }, waitMs);
        queue.push(turn);
      });
    },
    busy: () => busy,
  };
}
