// What the Directory answered, remembered: fresh for seconds, served stale while it is away. Bounded in entries and bytes,
// since a stranger chooses what is asked.

import { type CacheLimits, createCache } from '@opentact/runtime';

const FRESH_MS = 5_000;
/** Whom a number lets call, and where it leads, changes at once for whoever changes it: with the Directory's own second, two. */
export const ROUTE_FRESH_MS = 1_000;
const STALE_MS = 24 * 60 * 60_000;
const PATIENCE_MS = 300;
export const ENTRIES_MAX = 50_000;
export const ROUTES_BYTES_MAX = 24 * 1024 * 1024;
const OTHER_BYTES_MAX = 4 * 1024 * 1024;

export const LIMITS: CacheLimits = {
  max: ENTRIES_MAX,
  maxBytes: OTHER_BYTES_MAX,
  freshMs: FRESH_MS,
  staleMs: STALE_MS,
  patienceMs: PATIENCE_MS,
};
export const ROUTE_LIMITS: CacheLimits = { ...LIMITS, maxBytes: ROUTES_BYTES_MAX, freshMs: ROUTE_FRESH_MS };

/** Boxed, so that "nobody" can be remembered like any other answer. */
export type Remembered<T> = { readonly answer: T | undefined };

export function memoryOf<T>(limits: CacheLimits, load: (key: string) => Promise<Remembered<T>>) {
  return createCache(limits, load, undefined, ({ answer }) => answer === undefined);
}
