/**
 * The beats of the nodes of one process: which are due, and which came back. A beat that was not read back makes this
 * process unfit to judge. No I/O.
 */
import type { Observation } from './judge.ts';
import type { Node } from './port.ts';
import { BEAT_EVERY_MS, READ_EVERY_MS } from './registry-times.ts';

/** Own beats older than this when read back: nobody may be judged. */
const FAIR_MS = 1000;
const BEATS_KEPT_MAX = 16;

/** A sign of life. `claim`: take the name over from whichever boot holds it; later beats only keep it. */
export type Beat = { node: Node; beats: number; claim: boolean };

/** A node of this process. */
type Own = { node: Node; load: () => number; claimed: boolean; readBackAt: number };

/** @param now monotonic clock, ms. */
export function createBeats(now: () => number) {
  const own = new Map<string, Own>();
  let beats = 0; // the last one written, of all nodes
  let beatAt = Number.NEGATIVE_INFINITY;
  let writtenAt = new Map<number, number>(); // beat number → when it was written
  let watchedAt = Number.NEGATIVE_INFINITY; // when a reading came back to a process without nodes

  const isFresh = (readBackAt: number) => now() - readBackAt < FAIR_MS;
  /** A mere watcher may judge while it can read; who has nodes, while the beats of all that are in come back. */
  const healthy = () => {
    const known = [...own.values()].filter(({ claimed }) => claimed);
    if (known.length === 0) return own.size === 0 && isFresh(watchedAt);
    return known.every(({ readBackAt }) => isFresh(readBackAt));
  };

  /** Learns from a reading which beats came back. */
  function readBack(observations: Observation[]): void {
    if (own.size === 0) watchedAt = now();
    const rows = new Map(observations.map((row) => [row.node.name, row]));
    let oldest = beats;
    for (const mine of own.values()) {
      const row = rows.get(mine.node.name);
      if (row?.node.boot !== mine.node.boot) continue;
      mine.claimed = true;
      mine.readBackAt = Math.max(mine.readBackAt, writtenAt.get(row.beats) ?? Number.NEGATIVE_INFINITY);
      oldest = Math.min(oldest, row.beats);
    }
    writtenAt = new Map([...writtenAt].filter(([beat]) => beat >= oldest));
  }
  /** The beats to write now, all of one number. */
  function due(): Beat[] {
    if (own.size === 0 || now() - beatAt < BEAT_EVERY_MS - READ_EVERY_MS / 2) return [];
    beatAt = now();
    writtenAt.set(++beats, beatAt);
    if (writtenAt.size > BEATS_KEPT_MAX) writtenAt.delete(writtenAt.keys().next().value!);
    return [...own.values()].map((one) => {
      one.node = { ...one.node, loadPercent: Math.round(one.load()) };
      return { node: one.node, beats, claim: !one.claimed };
    });
  }
  return {
    due,
    readBack,
    healthy,
    any: () => own.size > 0,
    /** Its first beat takes those of the others along. @returns whether a beat of it came back of late */
    add(node: Node, load: () => number): () => boolean {
      const joined: Own = { node, load, claimed: false, readBackAt: Number.NEGATIVE_INFINITY };
      own.set(node.name, joined);
      beatAt = Number.NEGATIVE_INFINITY;
      return () => isFresh(joined.readBackAt);
    },
    /** It beats no more. @returns it, where it was there */
    remove(name: string): Node | undefined {
      const found = own.get(name)?.node;
      own.delete(name);
      return found;
    },
  };
}
