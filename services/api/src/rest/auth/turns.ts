/**
 * Work of which only so much runs at once: who waits is served in turn by share, so that one with many waiting delays others by
 * one each. Refused is what is too much of one share, or of all.
 */
import { TurnQueue } from '@opentact/runtime';
import { RestError } from '../errors.ts';

export type TurnLimits = { atOnce: number; waiting: number; perShare: number };

export type Turns = {
  /** @param share whose work it is: an account, an address. @throws RestError 429 where too many wait */
  take<T>(share: string, work: () => Promise<T>): Promise<T>;
};

export function createTurns({ atOnce, waiting, perShare }: TurnLimits): Turns {
  const queue = new TurnQueue<() => void>();
  let running = 0;
  function wait(share: string): Promise<void> {
    if (queue.size >= waiting || queue.sizeOf(share) >= perShare)
      throw new RestError(429, 'too many password checks at once; try again');
    return new Promise((turn) => queue.push(share, turn));
  }
  /** Whoever waited takes the place of the one that is done. */
  function next(): void {
    const turn = queue.take();
    if (turn) turn();
    else running--;
  }
  return {
    async take(share, work) {
      if (running >= atOnce) await wait(share);
      else running++;
      try {
        return await work();
      } finally {
        next();
      }
    },
  };
}
