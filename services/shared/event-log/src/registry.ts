/**
 * The registry of living nodes, but for how its rows are kept: beats, readings, judgement, callbacks. A beat that was
 * not read back makes this process unfit to judge.
 */
import { createJudge, type Observation } from './judge.ts';
import { LogError, type Node, type Registry } from './port.ts';

export const READ_EVERY_MS = 166;
export const BEAT_EVERY_MS = 500;
/** Own beats older than this when read back: nobody may be judged. */
const FAIR_MS = 1000;
const BEATS_KEPT_MAX = 16;
const FIRST_READINGS_MS = 20;

/** A sign of life. `claim`: take the name over from whichever boot holds it; later beats only keep it. */
export type Beat = { node: Node; beats: number; claim: boolean };

/** A node of this process. */
type Own = { node: Node; load: () => number; claimed: boolean; readBackAt: number };

/** How rows are kept. Both may fail at any time; they are simply called again. */
export type RegistryStore = {
  /** Writes the beats (none: it only reads) and reads all rows, those beats perhaps not among them. */
  exchange(beats: readonly Beat[]): Promise<Observation[]>;
  withdraw(node: Node): Promise<void>;
  close(): Promise<void>;
};

/** @param now monotonic clock, ms. */
export function createRegistry(
  store: RegistryStore,
  now: () => number = () => performance.now(),
): Registry & { close(): Promise<void> } {
  const judge = createJudge();
  const watchers = new Set<(nodes: ReturnType<Registry['nodes']>) => void>();
  const own = new Map<string, Own>();
  let beats = 0; // the last one written, of all nodes of this process
  let beatAt = Number.NEGATIVE_INFINITY;
  let writtenAt = new Map<number, number>(); // beat number → when it was written
  let watchedAt = Number.NEGATIVE_INFINITY; // when a reading came back to a process without nodes
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let closed = false;

  const isFresh = (readBackAt: number) => now() - readBackAt < FAIR_MS;
  /** A mere watcher is fit to judge while it can read; who has nodes, while every one's beats come back. */
  const healthy = () =>
    own.size === 0 ? isFresh(watchedAt) : [...own.values()].every(({ readBackAt }) => isFresh(readBackAt));

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
  function dueBeats(): Beat[] {
    if (own.size === 0 || now() - beatAt < BEAT_EVERY_MS - READ_EVERY_MS / 2) return [];
    beatAt = now();
    writtenAt.set(++beats, beatAt);
    if (writtenAt.size > BEATS_KEPT_MAX) writtenAt.delete(writtenAt.keys().next().value!);
    return [...own.values()].map((one) => {
      one.node = { ...one.node, loadPercent: Math.round(one.load()) };
      return { node: one.node, beats, claim: !one.claimed };
    });
  }
  async function turn(): Promise<void> {
    const observations = await store.exchange(dueBeats());
    readBack(observations);
    if (judge.observe(now(), healthy(), observations)) for (const tell of watchers) tell(judge.nodes());
  }
  function run(): void {
    if (closed) return;
    const started = now();
    timer = undefined;
    running = turn()
      .then(
        () => (own.size > 0 && !healthy() ? FIRST_READINGS_MS : READ_EVERY_MS),
        () => READ_EVERY_MS, // Not reading is what `healthy` tells.
      )
      .then((pauseMs) => {
        running = undefined;
        if (!closed) timer = setTimeout(run, Math.max(5, started + pauseMs - now()));
      });
  }
  function start(): void {
    clearTimeout(timer);
    if (!running) run();
  }

  return {
    async join(node, load = () => node.loadPercent) {
      const joined: Own = { node, load, claimed: false, readBackAt: Number.NEGATIVE_INFINITY };
      own.set(node.name, joined);
      beatAt = Number.NEGATIVE_INFINITY; // its first beat takes those of the others along
      start();
      for (const until = now() + 15_000; !isFresh(joined.readBackAt); await new Promise((done) => setTimeout(done, 10)))
        if (closed || now() > until)
          throw new LogError('unavailable', `the first beat of ${node.name} was not read back`);
    },
    nodes: () => judge.nodes(),
    watch(changed) {
      watchers.add(changed);
      start();
      return () => watchers.delete(changed);
    },
    healthy,
    async leave(name) {
      const node = own.get(name)?.node;
      own.delete(name);
      await running;
      if (node) await store.withdraw(node);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
      await store.close();
    },
  };
}
