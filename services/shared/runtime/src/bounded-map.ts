/**
 * A map that is bounded in entries and in bytes, since keys and values may be as long as whoever sends them likes. What was
 * set or touched longest ago goes first.
 */

export type BoundedMap<T> = {
  get(key: string): T | undefined;
  /** Its place is the newest again. */
  touch(key: string): void;
  /** Not kept where it alone would take an eighth of all bytes. */
  set(key: string, value: T): void;
  delete(key: string): void;
  readonly size: number;
  /** As `weigh` estimates them. */
  readonly bytes: number;
};

/** What one value may take of all. */
const PART_MAX = 1 / 8;
const ENTRY_BYTES = 100;
const VALUE_BYTES = 24;
/** What is nested deeper is not counted; what other services say is flat. */
const DEPTH_MAX = 8;

export function createBoundedMap<T>(max: number, maxBytes: number): BoundedMap<T> {
  const entries = new Map<string, { value: T; bytes: number }>();
  let total = 0;
  function remove(key: string): void {
    total -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }
  return {
    get: (key) => entries.get(key)?.value,
    touch(key) {
      const entry = entries.get(key);
      if (!entry) return;
      entries.delete(key); // Re-inserted at the end: a Map's order is our order of use.
      entries.set(key, entry);
    },
    set(key, value) {
      remove(key);
      const bytes = ENTRY_BYTES + weigh(key) + weigh(value);
      if (bytes > maxBytes * PART_MAX) return;
      entries.set(key, { value, bytes });
      total += bytes;
      while (entries.size > max || total > maxBytes) remove(entries.keys().next().value!);
    },
    delete: remove,
    get size() {
      return entries.size;
    },
    get bytes() {
      return total;
    },
  };
}

/** Bytes that plain data takes in memory, rather too many than too few. */
function weigh(value: unknown, depth = 0): number {
  if (typeof value === 'string') return VALUE_BYTES + 2 * value.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  if (ArrayBuffer.isView(value)) return VALUE_BYTES + value.byteLength;
  if (depth === DEPTH_MAX) return VALUE_BYTES;
  let bytes = VALUE_BYTES;
  for (const each of Object.values(value)) bytes += VALUE_BYTES + weigh(each, depth + 1);
  return bytes;
}
