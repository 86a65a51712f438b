/** How often credentials may be wrong: by address and by whom they name. Bounded; a right one forgives. */
import { RestError } from './errors.ts';

const MINUTE = { max: 10, windowMs: 60_000 };
const REMEMBERED_MAX = 50_000;

export type Attempts = {
  /** @throws RestError 429 where one of these failed too often within a minute. */
  check(...names: string[]): void;
  failed(...names: string[]): void;
  succeeded(...names: string[]): void;
};

/** @param limit so many failures within so long; otherwise ten within a minute. */
export function createAttempts(limit = MINUTE, now: () => number = Date.now): Attempts {
  const failures = new Map<string, { count: number; since: number }>();
  const known = (name: string) => {
    const found = failures.get(name);
    if (found && now() - found.since < limit.windowMs) return found;
    failures.delete(name);
    return undefined;
  };
  return {
    check(...names) {
      if (names.some((name) => (known(name)?.count ?? 0) >= limit.max))
        throw new RestError(429, 'too often; try again later');
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
