/**
 * Which partitions of `events.public` this notifier writes: those whose journal is written in its own process, where each
 * record comes to it from memory; of the others its share by rendezvous over the notifiers that live. Two may briefly think
 * they write one; the fence decides. It refuses to hurry: who was fenced waits before it looks again.
 */
import { type EventLog, LogError } from '@opentact/event-log';
import { type Logger, ownerAmong, processOf, rendezvous } from '@opentact/runtime';
import { PUBLIC, runProjector } from './projector.ts';

const SILENT_MS = 1500;
const LOOK_EVERY_MS = 500;
const AWAY_MS = 200;
const FENCED_MS = 1000;
/** A newer version wrote the journal, or we are broken: nothing changes soon. */
const BROKEN_MS = 10_000;

/** The notifier that writes a partition where these notifiers and engines live. */
function writerAmong(partition: number, notifiers: string[], engines: string[]): string | undefined {
  // Where some are processes of their own, all must agree with those of an earlier version, which know no cells.
  const areCells = notifiers.every((name) => name.endsWith('.notifier'));
  const owner = areCells ? ownerAmong(partition, engines) : undefined;
  const beside = owner && notifiers.find((name) => name === `${processOf(owner)}.notifier`);
  return beside ?? rendezvous(`${PUBLIC}-${partition}`, notifiers);
}

type Running = { stop: AbortController; ended: Promise<void> };

export type PublicEvents = {
  /** Partitions written here now. */
  partitions(): number[];
  /** Writes what was read, and nothing more. */
  close(): Promise<void>;
};

/** Spread over half as much again, so that two that fight don't meet for ever. */
function pauseMs(error: unknown): number {
  if (!(error instanceof LogError)) return BROKEN_MS;
  return (error.code === 'fenced' ? FENCED_MS : AWAY_MS) * (1 + Math.random() / 2);
}

/** Begins once the notifier `name` has joined the registry. */
export function servePublicEvents(of: { log: EventLog; name: string; logger: Logger }): PublicEvents {
  const { log, name, logger } = of;
  const running = new Map<number, Running>();
  const notBefore = new Map<number, number>();
  let closed = false;

  function start(partition: number): void {
    const stop = new AbortController();
    const ended = runProjector({ log, partition, signal: stop.signal, logger })
      .catch((err) => {
        notBefore.set(partition, performance.now() + pauseMs(err));
        if (err instanceof LogError) logger.info({ partition, code: err.code }, 'public events: partition lost');
        else logger.error({ partition, err }, 'public events: partition stands still');
      })
      .finally(() => running.delete(partition));
    running.set(partition, { stop, ended });
  }
  function reconcile(): void {
    if (closed || !log.registry.healthy()) return;
    const living = (kind: string) =>
      log.registry
        .nodes()
        .filter((node) => node.kind === kind && !node.gone && node.silentMs < SILENT_MS)
        .map((node) => node.name);
    const names = living('notifier');
    const engines = living('flow-engine');
    if (!names.includes(name)) return;
    for (let partition = 0; partition < log.partitions; partition++) {
      const isMine = writerAmong(partition, names, engines) === name;
      if (!isMine) running.get(partition)?.stop.abort();
      else if (!running.has(partition) && (notBefore.get(partition) ?? 0) <= performance.now()) start(partition);
    }
  }
  const unwatch = log.registry.watch(reconcile);
  const timer = setInterval(reconcile, LOOK_EVERY_MS).unref();
  reconcile();
  return {
    partitions: () => [...running.keys()],
    async close() {
      closed = true;
      unwatch();
      clearInterval(timer);
      for (const { stop } of running.values()) stop.abort();
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}
