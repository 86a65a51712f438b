/**
 * How often credentials may be wrong: by where they come from and by whom they name. Bounded; a right one forgives. A guess counts
 * before it is judged, so that a wave of them is not judged at once.
 */
import { RestError } from '../errors.ts';

const MINUTE = { max: 10, windowMs: 60_000 };
const REMEMBERED_MAX = 50_000;
/** Longer names are nobody's, and would fill the memory. */
const NAME_MAX = 320;

export type Attempts = {
  /** Counts one of each. @throws RestError 429 where one of them happened too often within the window. */
  begin(...names: string[]): void;
  /** Counts unless `judge` finds something; undefined: it was wrong. What fails of itself is forgiven. @throws RestError 429 */
  judged<T>(names: string[], judge: () => Promise<T | undefined>): Promise<T | undefined>;
  /** For what nobody can guess, of which many may be asked at once. @throws RestError 429 where one of these failed too often. */
  check(...names: string[]): void;
  failed(...names: string[]): void;
  /**
   * A password: counted by the address, by user and address, and, felt only where this user never succeeded from this address,
   * by the user. So a stranger's guesses keep nobody out of where they usually come in from. @throws RestError 429
   */
  ofUser<T>(address: string, user: string, judge: () => Promise<T | undefined>): Promise<T | undefined>;
};

/** Wrong ones for one user from everywhere, in the same time. */
const USER_FACTOR = 3;

const EVERYWHERE = 'user from everywhere ';

/** @param limit so many failures within so long; otherwise ten within a minute. */
export function createAttempts(limit = MINUTE, now: () => number = Date.now): Attempts {
  const failures = new Map<string, { count: number; since: number }>();
  const known = (name: string) => {
    const found = failures.get(name);
    if (found && now() - found.since < limit.windowMs) return found;
    failures.delete(name);
    return undefined;
  };
  const succeeded = new Set<string>();
  const maxOf = (name: string) => (name.startsWith(EVERYWHERE) ? USER_FACTOR * limit.max : limit.max);
  const check = (names: string[]) => {
    if (names.some((name) => (known(name)?.count ?? 0) >= maxOf(name)))
      throw new RestError(429, 'too often; try again later');
  };
  const count = (name: string) => {
    const found = known(name) ?? { count: 0, since: now() };
    found.count++;
    failures.set(name, found);
    if (failures.size > REMEMBERED_MAX) failures.delete(failures.keys().next().value!);
    return found;
  };
  const begin = (names: string[]) => {
    check(names);
    return names.map(count);
  };
  async function judged<T>(names: string[], judge: () => Promise<T | undefined>): Promise<T | undefined> {
    const counted = begin(names);
    const forgive = () => {
      for (const one of counted) one.count--;
    };
    try {
      const found = await judge();
      if (found !== undefined) forgive();
      return found;
    } catch (error) {
      forgive();
      throw error;
    }
  }
  return {
    begin: (...names) => void begin(names),
    judged,
    check: (...names) => check(names),
    failed: (...names) => void names.forEach(count),
    async ofUser(address, user, judge) {
      const pair = `${user.slice(0, NAME_MAX)} from ${address}`;
      const names = [address, pair, ...(succeeded.has(pair) ? [] : [`${EVERYWHERE}${user.slice(0, NAME_MAX)}`])];
      const found = await judged(names, judge);
      if (found === undefined) return undefined;
      failures.delete(pair);
      succeeded.delete(pair);
      succeeded.add(pair);
      if (succeeded.size > REMEMBERED_MAX) succeeded.delete(succeeded.keys().next().value!);
      return found;
    },
  };
}
