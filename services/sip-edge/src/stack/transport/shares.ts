// A quantity that everybody shares: bounded in all and per source address, so that one sender can't use up everybody's.
// A source is an IPv4 address or the /64 of an IPv6 address. It refuses by answering false; it never queues.

import { sourceOf } from '@opentact/runtime';

export type Shares = {
  /** Does so much more fit, in all and in that source's share? */
  fits(address: string, amount: number): boolean;
  /** Takes it where it fits. */
  take(address: string, amount: number): boolean;
  /** Takes it whatever the bounds are: what must never be refused still counts. */
  force(address: string, amount: number): void;
  give(address: string, amount: number): void;
  readonly total: number;
};

/** @param max of all. @param perSourceMax of one source. */
export function createShares(max: number, perSourceMax: number): Shares {
  const bySource = new Map<string, number>();
  let total = 0;
  function add(address: string, amount: number): void {
    const source = sourceOf(address);
    const next = (bySource.get(source) ?? 0) + amount;
    total += amount;
    if (next > 0) bySource.set(source, next);
    else bySource.delete(source);
  }
  function fits(address: string, amount: number): boolean {
    return total + amount <= max && (bySource.get(sourceOf(address)) ?? 0) + amount <= perSourceMax;
  }
  return {
    fits,
    take(address, amount) {
      if (!fits(address, amount)) return false;
      add(address, amount);
      return true;
    },
    force: add,
    give: (address, amount) => add(address, -amount),
    get total() {
      return total;
    },
  };
}
