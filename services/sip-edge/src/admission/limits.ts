// Per account: calls at once and new dials a minute. An open SIP port is found by toll fraud within hours.
// Of an account's calls one source may hold a part only while it has not acknowledged our answer to them.
// It refuses by answering false; it never queues. Each edge counts for itself.

import { sourceOf } from '@opentact/runtime';

const ACCOUNTS_MAX = 100_000;
const WINDOW_MS = 60_000;
/** New dials a minute of an account whose call was adopted, until the Directory has said how many it may have. */
export const DIALS_UNLEARNT = 60;

/** The part of an account's calls that one source may hold without an ACK, at least one call. */
const UNCONFIRMED_SHARE = 1 / 4;

export type Limits = {
  /** Takes a place among the calls of that source to that account that it did not acknowledge yet (0: no limit). */
  begin(accountId: string, address: string, max: number): boolean;
  /** It did, or the call is over. */
  confirm(accountId: string, address: string): void;
  /** Takes a place for a call; false where the account has none left (0: no limit). */
  enter(accountId: string, max: number): boolean;
  leave(accountId: string): void;
  /** Counts one dial of the running minute; false where the account has none left. */
  dial(accountId: string, max: number, nowMs: number): boolean;
};

export function createLimits(): Limits {
  const calls = new Map<string, number>();
  const unconfirmed = new Map<string, number>();
  const keyOf = (accountId: string, address: string) => `${accountId} ${sourceOf(address)}`;
  const dials = new Map<string, { windowStart: number; count: number }>();
  return {
    begin(accountId, address, max) {
      const key = keyOf(accountId, address);
      const count = unconfirmed.get(key) ?? 0;
      if (max > 0 && count >= Math.max(1, Math.floor(max * UNCONFIRMED_SHARE))) return false;
      unconfirmed.set(key, count + 1);
      return true;
    },
    confirm(accountId, address) {
      const key = keyOf(accountId, address);
      const count = (unconfirmed.get(key) ?? 0) - 1;
      if (count > 0) unconfirmed.set(key, count);
      else unconfirmed.delete(key);
    },
    enter(accountId, max) {
      const count = calls.get(accountId) ?? 0;
      if (max > 0 && count >= max) return false;
      calls.set(accountId, count + 1);
      return true;
    },
    leave(accountId) {
      const count = (calls.get(accountId) ?? 0) - 1;
      if (count > 0) calls.set(accountId, count);
      else calls.delete(accountId);
    },
    dial(accountId, max, nowMs) {
      let window = dials.get(accountId);
      if (!window || nowMs - window.windowStart >= WINDOW_MS) {
        if (dials.size >= ACCOUNTS_MAX) dials.clear();
        window = { windowStart: nowMs, count: 0 };
        dials.set(accountId, window);
      }
      if (max > 0 && window.count >= max) return false;
      window.count++;
      return true;
    },
  };
}
