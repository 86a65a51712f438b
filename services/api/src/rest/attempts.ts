/** How often credentials may be wrong: by address and by whom they name. Bounded; a right one forgives. */
import { RestError } from './errors.ts';

const WINDOW_MS = 60_000;
const FAILURES_MAX = 10;
const REMEMBERED_MAX = 50_000;

export type Attempts = {
  /** @throws RestError 429 where one of these failed too often within a minute. */
  check(...names: string[]): void;
  failed(...names: string[]): void;
  succeeded(...names: string[]): void;
};

export function createAttempts(now: () => number = Date.now): Attempts {
  const failures = new Map<string, { count: number; since: number }>();
  const known = (name: string) => {
    const found = failures.get(name);
    if (found && now() - found.since < WINDOW_MS) return found;
    failures.delete(name);
    return undefined;
  };
  return {
    check(...names) {
      if (names.some((name) => (known(name)?.count ?? 0) >= FAILURES_MAX))
        throw new RestError(429, 'too many wrong credentials; try again in a minute');
    },
    failed(...names) {
      for (const name of names) {
        const found = known(name);
        if (found) found.count++;
        else failures.set(name, { count: 1, since: now() });
        if (failures.size > REMEMBERED_MAX) failures.delete(failures.keys().next().value!);
      }
    },
    succeeded(...names) {
      for (const name of names) failures.delete(name);
    },
  };
}
