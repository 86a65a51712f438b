/**
 * Gathers what is said in one turn of the event loop into as few messages as fit, and waits while the other side is
 * slow. What nobody waits for goes with the next that is urgent, or soon by itself: a message costs more than its items,
 * and half of all items are acknowledgements. It refuses to grow without end: past its limit the stream is given up, which loses nothing that is owed.
 */

export type Outbox<T> = {
  /** `patient`: nobody waits for it; it keeps its place in the order and may stay for `PATIENT_MS`. */
  push(item: T, patient?: boolean): void;
  /** The other side takes more again. */
  drained(): void;
  /** Waiting to be written. */
  size(): number;
  /** Writes what waits now, as far as the other side takes it; then forgets the rest. */
  close(): void;
};

/** A message holds as many items as stay below both. */
const MESSAGE_ITEMS_MAX = 500;
const MESSAGE_BYTES_MAX = 1024 * 1024;
const PATIENT_MS = 20;

/**
 * @param write sends one message. @returns false where no more should be written before `drained`.
 * @param bytesOf roughly an item's size. @param itemsMax waiting items at which `overflow` is called, once.
 */
export function createOutbox<T>(of: {
  itemsMax: number;
  bytesOf(item: T): number;
  write(items: T[]): boolean;
  overflow(): void;
}): Outbox<T> {
  let waiting: T[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  let later: NodeJS.Timeout | undefined;
  let writable = true;
  let closed = false;

  /** How many of the waiting items, from `first`, fit into one message; at least one. */
  function fitting(first: number): number {
    let bytes = 0;
    let count = 0;
    while (first + count < waiting.length && count < MESSAGE_ITEMS_MAX) {
      bytes += of.bytesOf(waiting[first + count]!);
      if (count > 0 && bytes > MESSAGE_BYTES_MAX) break;
      count++;
    }
    return count;
  }
  function flush(): void {
    scheduled = undefined;
    clearTimeout(later);
    later = undefined;
    let first = 0;
    while (writable && first < waiting.length) {
      const count = fitting(first);
      writable = of.write(waiting.slice(first, first + count));
      first += count;
    }
    waiting = waiting.slice(first);
  }
  return {
    push(item, patient = false) {
      if (closed) return;
      waiting.push(item);
      if (writable && patient && !scheduled) later ??= setTimeout(flush, PATIENT_MS);
      else if (writable) scheduled ??= setImmediate(flush);
      if (waiting.length < of.itemsMax) return;
      closed = true;
      of.overflow();
    },
    drained() {
      writable = true;
      if (!closed && waiting.length > 0) scheduled ??= setImmediate(flush);
    },
    size: () => waiting.length,
    close() {
      if (scheduled) clearImmediate(scheduled);
      clearTimeout(later);
      if (!closed) flush();
      closed = true;
      waiting = [];
    },
  };
}
