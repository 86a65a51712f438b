/**
 * Remembers what another service said, bounded in number, bytes and time, and serves it stale while that service is away.
 * Questions asked at once are asked once. An error is never remembered. That there is nothing is remembered apart, so that
 * whoever asks for much that isn't there pushes out nothing that is.
 */
import { createBoundedMap } from './bounded-map.ts';

export type CacheLimits = {
  /** Entries; the least recently used goes first. */
  max: number;
  /** Of keys and answers; where it isn't said, 16 MiB. */
  maxBytes?: number;
  /** An answer younger than this is served without asking. */
  freshMs: number;
  /** An older answer is served where asking fails or is slow, up to this age. */
  staleMs: number;
  /** How long asking may take before a stale answer is served in its place. */
  patienceMs: number;
};

export type Cache<T> = {
  /** @throws what `load` threw, where there is no answer young enough to serve. */
  get(key: string): Promise<T>;
  forget(key: string): void;
  size(): number;
};

type Entry<T> = { value: T; at: number };

const BYTES_MAX = 16 * 1024 * 1024;
/** Answers that there is nothing, remembered while they are fresh and never served stale. */
const ABSENT_MAX = 2_000;
const ABSENT_BYTES_MAX = 2 * 1024 * 1024;

/**
 * @param load asks the other service; it should have a deadline of its own.
 * @param isAbsent is that the answer that there is nothing?
 */
export function createCache<T>(
  limits: CacheLimits,
  load: (key: string) => Promise<T>,
  now: () => number = () => performance.now(),
  isAbsent: (value: T) => boolean = (value) => value === undefined,
): Cache<T> {
  const entries = createBoundedMap<Entry<T>>(limits.max, limits.maxBytes ?? BYTES_MAX);
  const absent = createBoundedMap<Entry<T>>(Math.min(ABSENT_MAX, limits.max), ABSENT_BYTES_MAX);
  const loading = new Map<string, Promise<T>>();

  function forget(key: string): void {
    entries.delete(key);
    absent.delete(key);
  }
  function keep(key: string, value: T): void {
    forget(key);
    (isAbsent(value) ? absent : entries).set(key, { value, at: now() });
  }
  function ask(key: string): Promise<T> {
    const running = loading.get(key);
    if (running) return running;
    const asked = load(key)
      .then((value) => {
        keep(key, value);
        return value;
      })
      .finally(() => loading.delete(key));
    asked.catch(() => {}); // Whoever waits handles it; a stale answer may have been served meanwhile.
    loading.set(key, asked);
    return asked;
  }
  async function impatiently(asked: Promise<T>, stale: T): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<T>((done) => {
      timer = setTimeout(done, limits.patienceMs, stale);
    });
    return Promise.race([asked.catch(() => stale), late]).finally(() => clearTimeout(timer));
  }
  return {
    async get(key) {
      const entry = entries.get(key);
      if (!entry) {
        const nothing = absent.get(key);
        return nothing && now() - nothing.at < limits.freshMs ? nothing.value : ask(key);
      }
      const age = now() - entry.at;
      if (age >= limits.staleMs) return ask(key);
      if (age >= limits.freshMs) return impatiently(ask(key), entry.value);
      entries.touch(key);
      return entry.value;
    },
    forget,
    size: () => entries.size + absent.size,
  };
}
