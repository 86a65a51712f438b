/**
 * Remembers what another service said, bounded in number and time, and serves it stale while that service is away.
 * Questions asked at once are asked once. An error is never remembered.
 */

export type CacheLimits = {
  /** Entries; the least recently used goes first. */
  max: number;
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

/** @param load asks the other service; it should have a deadline of its own. */
export function createCache<T>(
  limits: CacheLimits,
  load: (key: string) => Promise<T>,
  now: () => number = () => performance.now(),
): Cache<T> {
  const entries = new Map<string, Entry<T>>();
  const loading = new Map<string, Promise<T>>();

  function keep(key: string, value: T): void {
    entries.delete(key); // Re-inserted at the end: a Map's order is our order of use.
    entries.set(key, { value, at: now() });
    if (entries.size > limits.max) entries.delete(entries.keys().next().value!);
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
      if (!entry) return ask(key);
      const age = now() - entry.at;
      if (age >= limits.staleMs) return ask(key);
      if (age >= limits.freshMs) return impatiently(ask(key), entry.value);
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    forget: (key) => entries.delete(key),
    size: () => entries.size,
  };
}
