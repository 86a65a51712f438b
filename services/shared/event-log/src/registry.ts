/** The registry of living nodes, but for how its rows are kept: beats, readings, judgement, callbacks. */
import { type Beat, createBeats } from './beats.ts';
import { createJudge, type Observation } from './judge.ts';
import { LogError, type Node, type Registry, type SeenNode } from './port.ts';
import { READ_EVERY_MS } from './registry-times.ts';

const FIRST_READINGS_MS = 20;

/** How rows are kept. Both may fail at any time; they are simply called again. */
export type RegistryStore = {
  /** Writes the beats (none: it only reads) and reads all rows, those beats perhaps not among them. */
  exchange(beats: readonly Beat[]): Promise<Observation[]>;
  withdraw(node: Node): Promise<void>;
  close(): Promise<void>;
};

/** One that throws is no reason for the others to hear nothing. @throws its error, afterwards */
function tellAll(watchers: Iterable<(nodes: SeenNode[]) => void>, nodes: SeenNode[]): void {
  let failed: { error: unknown } | undefined;
  for (const tell of watchers)
    try {
      tell(nodes);
    } catch (error) {
      failed ??= { error };
    }
  if (failed) throw failed.error;
}

/** @param now monotonic clock, ms. */
export function createRegistry(
  store: RegistryStore,
  now: () => number = () => performance.now(),
): Registry & { close(): Promise<void> } {
  const judge = createJudge();
  const watchers = new Set<(nodes: SeenNode[]) => void>();
  const beats = createBeats(now);
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let closed = false;

  async function turn(): Promise<void> {
    const observations = await store.exchange(beats.due());
    beats.readBack(observations);
    if (judge.observe(now(), beats.healthy(), observations)) tellAll(watchers, judge.nodes());
  }
  function run(): void {
    if (closed) return;
    const started = now();
    timer = undefined;
    running = turn()
      .then(
        () => (beats.any() && !beats.healthy() ? FIRST_READINGS_MS : READ_EVERY_MS),
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
      const isReadBack = beats.add(node, load);
      start();
      for (const until = now() + 15_000; !isReadBack(); await new Promise((done) => setTimeout(done, 10)))
        if (closed || now() > until)
          throw new LogError('unavailable', `the first beat of ${node.name} was not read back`);
    },
    nodes: () => judge.nodes(),
    watch(changed) {
      watchers.add(changed);
      start();
      return () => watchers.delete(changed);
    },
    healthy: beats.healthy,
    async leave(name) {
      const node = beats.remove(name);
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
