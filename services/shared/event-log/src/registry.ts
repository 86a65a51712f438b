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

/** How rows are kept. Both may fail at any time; they are simply called again. */
export type RegistryStore = {
  /** Writes a beat (where one is given) and reads all rows, that beat perhaps not among them. */
  exchange(beat: Beat | undefined): Promise<Observation[]>;
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
  let own: { node: Node; load: () => number; beats: number; beatAt: number; claimed: boolean } | undefined;
  let writtenAt = new Map<number, number>(); // beat number → when it was written
  let readBackAt = Number.NEGATIVE_INFINITY; // when the newest beat that came back was written
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let closed = false;

  const healthy = () => now() - readBackAt < FAIR_MS;

  function readBack(observations: Observation[]): void {
    const mine = own && observations.find((o) => o.node.name === own!.node.name && o.node.boot === own!.node.boot);
    if (!own)
      readBackAt = now(); // A mere watcher is fit to judge while it can read.
    else if (mine) {
      own.claimed = true;
      readBackAt = Math.max(readBackAt, writtenAt.get(mine.beats) ?? Number.NEGATIVE_INFINITY);
      writtenAt = new Map([...writtenAt].filter(([beats]) => beats >= mine.beats));
    }
  }
  async function turn(): Promise<void> {
    const beats = own !== undefined && now() - own.beatAt >= BEAT_EVERY_MS - READ_EVERY_MS / 2;
    if (own && beats) {
      own.node = { ...own.node, loadPercent: Math.round(own.load()) };
      own.beatAt = now();
      writtenAt.set(++own.beats, own.beatAt);
      if (writtenAt.size > BEATS_KEPT_MAX) writtenAt.delete(writtenAt.keys().next().value!);
    }
    const observations = await store.exchange(
      own && beats ? { node: own.node, beats: own.beats, claim: !own.claimed } : undefined,
    );
    readBack(observations);
    if (judge.observe(now(), healthy(), observations)) for (const tell of watchers) tell(judge.nodes());
  }
  function run(): void {
    if (closed) return;
    const started = now();
    timer = undefined;
    running = turn()
      .then(
        () => (own && !healthy() ? FIRST_READINGS_MS : READ_EVERY_MS),
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
      own = { node, load, beats: 0, beatAt: Number.NEGATIVE_INFINITY, claimed: false };
      readBackAt = Number.NEGATIVE_INFINITY;
      start();
      for (const until = now() + 15_000; !healthy(); await new Promise((done) => setTimeout(done, 10)))
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
    async leave() {
      const node = own?.node;
      own = undefined;
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
