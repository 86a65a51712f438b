// How media leaves: calls may end by themselves for a while, what is left goes to another node, phones hear us until then.
// It refuses to hand over to nobody: as the last node it ends what it holds.
import type { EventLog } from '@opentact/event-log';
import type { NodeLink } from '@opentact/link';
import type { MediaService } from './media-service.ts';

/** Milliseconds: for calls to end, for their last facts to be durable, for the phones to be told where to go. */
export const LEAVING = { endingMs: 5000, factsMs: 1000, movingMs: 700 };

/** A node silent for so long is no help. */
const SILENT_MS = 1500;

export type Leaving = {
  name: string;
  service: Pick<MediaService, 'drain' | 'held'> & { pool: Pick<MediaService['pool'], 'leave'> };
  link: Pick<NodeLink, 'pending' | 'close'>;
  registry: Pick<EventLog['registry'], 'nodes' | 'leave'>;
  times?: typeof LEAVING;
};

const sleep = (ms: number) => new Promise((later) => setTimeout(later, ms));

/** Resolves once `done`, or after `ms`. */
export async function until(done: () => boolean, ms: number): Promise<void> {
  for (const end = Date.now() + ms; !done() && Date.now() < end; ) await sleep(20);
}

/** Another node that lives and takes calls. */
const isReplaced = ({ name, registry }: Leaving): boolean =>
  registry
    .nodes()
    .some(
      (node) =>
        node.kind === 'media' &&
        node.name !== name &&
        !node.gone &&
        node.silentMs < SILENT_MS &&
        node.loadPercent < 100,
    );

/** No new calls come; resolves when none is left, nobody is there to wait for, or the time is over. */
export async function awaitCalls(of: Leaving): Promise<void> {
  of.service.drain();
  await until(() => of.service.held().length === 0 || !isReplaced(of), (of.times ?? LEAVING).endingMs);
}

/**
 * Makes the engines give what is left to another node, while phones go on hearing this one.
 * @returns false where nothing is left, or nobody is there
 */
export async function handOver(of: Leaving): Promise<boolean> {
  const { name, service, link, registry, times = LEAVING } = of;
  if (service.held().length === 0 || !isReplaced(of)) return false;
  await until(() => link.pending() === 0, times.factsMs);
  await service.pool.leave();
  await registry.leave(name);
  // To engines a node lives while its stream does: from here on they look for another, and hear no fact of this one.
  await link.close();
  await sleep(times.movingMs);
  return true;
}
