/** One follower of a partition in PostgreSQL: how far it is known to reach, and what this process appended itself. */
import type { LogRecord, NewRecord } from './port.ts';

/** What is kept for a follower that is slow; it then reads what it missed. */
const FED_MAX = 2_000;
const FED_BYTES_MAX = 2 * 1024 * 1024;

export type Follower = {
  /** Resolves when the partition may hold more than `position`, at once where that is known, and when the signal aborts. */
  grown(position: number): Promise<void>;
  /** How far the partition is known to reach; 0 at first. */
  head(): number;
  /** What this process appended right behind `position`, once; none where there is a gap between. */
  fed(position: number): LogRecord[];
  stop(): void;
};

/** `head`: how far the partition is known to reach; `wake` while its follower waits, having read up to `position`. */
export type Place = {
  topic: string;
  partition: number;
  head: number;
  position: number;
  wake: (() => void) | undefined;
  /** What this process appended and the follower has not taken, without a gap. */
  fed: LogRecord[];
  fedBytes: number;
};

export const openPlace = (topic: string, partition: number): Place => ({
  topic,
  partition,
  head: 0,
  position: 0,
  wake: undefined,
  fed: [],
  fedBytes: 0,
});

/** The partition is known to reach so far. */
export function learnHead(place: Place, head: number): void {
  place.head = Math.max(place.head, head);
  if (place.head > place.position) place.wake?.();
}

function clear(place: Place): void {
  place.fed = [];
  place.fedBytes = 0;
}

/** Positions of a partition are dense: whoever read up to the one before the first misses nothing. */
export function feed(place: Place, position: number, records: readonly NewRecord[]): void {
  const before = position - records.length;
  if (place.fed.length > 0 && place.fed.at(-1)!.position !== before) clear(place);
  for (const [n, record] of records.entries()) {
    place.fed.push({ position: before + n + 1, ...record });
    place.fedBytes += record.bytes.byteLength;
  }
  if (place.fed.length > FED_MAX || place.fedBytes > FED_BYTES_MAX) clear(place);
}

function takeFed(place: Place, position: number): LogRecord[] {
  const [first] = place.fed;
  if (!first || first.position > position + 1) return [];
  const taken = place.fed.filter((record) => record.position > position);
  clear(place);
  return taken;
}

/** @param waits it waits from now on. @param ended nobody follows any more. */
export function followerOf(place: Place, signal: AbortSignal, waits: () => void, ended: () => void): Follower {
  return {
    grown(position) {
      place.position = position;
      if (place.head > position || signal.aborted) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => {
        place.wake = undefined;
        signal.removeEventListener('abort', wake);
        resolve();
      };
      place.wake = wake;
      signal.addEventListener('abort', wake);
      waits();
      return promise;
    },
    head: () => place.head,
    fed: (position) => takeFed(place, position),
    stop() {
      place.wake?.();
      ended();
    },
  };
}
