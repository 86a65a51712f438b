/**
 * Which partitions this engine owns: rendezvous over the engines that live. Two may briefly think they own one; the
 * fence decides. A death is acted on at once (a wrong guess is harmless), a join only after a second of calm.
 */
import type { EventLog, SeenNode } from '@opentact/event-log';
import { LogError } from '@opentact/event-log';
import { type Logger, ownerAmong } from '@opentact/runtime';
import type { Partition } from './partition.ts';

const SILENT_MS = 1_500;
const CALM_MS = 1_000;
const RELEASE_MS = 1_000;
/** After a partition was handed over, this engine leaves it to the joiner for so long, or until that one dies. */
const YIELD_MS = 3_000;
const AGAIN_MS = 1_000;
const UNREADABLE_MS = 10_000;

export type OwnershipNeeds = {
  log: EventLog;
  self: { name: string; boot: string };
  now(): number;
  logger: Logger;
  open(partition: number): Promise<Partition>;
  /** Asks another engine to hand a partition over; resolves when it did or never had it. */
  askRelease(engine: SeenNode, partition: number): Promise<void>;
  /** Did that engine say a moment ago that it still reaches the log? */
  answers(engine: SeenNode): boolean;
};

export type Ownership = {
  partition(number: number): Partition | undefined;
  owned(): Partition[];
  /** The engine that should own a partition now. */
  ownerOf(number: number): SeenNode | undefined;
  /** Hands a partition over to the engine of that name, or to anybody; false where it isn't ours. */
  release(number: number, to?: string): Promise<boolean>;
  lost(number: number, epoch: number, reason: 'fenced' | 'unavailable'): void;
  /** Looks again; called at each change of membership and now and then. */
  reconcile(): void;
  /** Hands everything over and takes nothing more. */
  leave(): Promise<void>;
};

const idOf = (node: SeenNode) => `${node.name}/${node.boot}`;

export function createOwnership(needs: OwnershipNeeds): Ownership {
  const { log, self, logger } = needs;
  const owned = new Map<number, Partition>();
  const taking = new Set<number>();
  const notBefore = new Map<number, number>();
  const yielded = new Map<number, { to: string; until: number }>();
  let known = new Set<string>();
  let settled = new Set<string>();
  let started = false;
  let joinedAt = Number.NEGATIVE_INFINITY;
  let leaving = false;

  function living(): SeenNode[] {
    const engines = log.registry.nodes().filter((n) => n.kind === 'flow-engine');
    return engines.filter((n) => {
      if (n.name === self.name) return true;
      // Asked early, so that its word is there when its silence counts.
      const answers = n.silentMs > SILENT_MS / 2 && !n.gone && needs.answers(n);
      return !n.gone && (n.silentMs < SILENT_MS || answers);
    });
  }

  function ownerOf(number: number, engines = living()): SeenNode | undefined {
    const name = ownerAmong(
      number,
      engines.map((e) => e.name),
    );
    return engines.find((e) => e.name === name);
  }

  /** The engines among whom partitions are shared out now: a new one counts only after a second of calm. */
  function voters(engines: SeenNode[]): SeenNode[] {
    const now = needs.now();
    const others = engines.filter((e) => e.name !== self.name);
    // An engine that starts alone need not wait for anybody; one that finds others is itself the newcomer.
    if (!started) for (const engine of others.length > 0 ? others : engines) settled.add(idOf(engine));
    started = true;
    const living = new Set(engines.map(idOf));
    if ([...living].some((id) => !known.has(id))) joinedAt = now;
    known = living;
    if (now - joinedAt >= CALM_MS) settled = living;
    return engines.filter((e) => settled.has(idOf(e)));
  }

  async function take(number: number, others: SeenNode[]): Promise<void> {
    await Promise.all(others.map((e) => withDeadline(needs.askRelease(e, number), RELEASE_MS)));
    const partition = await needs.open(number);
    if (leaving) await partition.release();
    else {
      owned.set(number, partition);
      partition.open();
    }
  }

  /** Was it handed over a moment ago to an engine that still lives? */
  function isYielded(number: number, engines: SeenNode[]): boolean {
    const given = yielded.get(number);
    return given !== undefined && given.until > needs.now() && engines.some((e) => idOf(e) === given.to);
  }

  function again(number: number, error: unknown): void {
    notBefore.set(number, needs.now() + againMs(error));
    logger.warn({ partition: number, err: error }, 'partition not taken');
  }

  function reconcile(): void {
    if (leaving || !log.registry.healthy()) return;
    const engines = living();
    const sharing = voters(engines);
    const others = engines.filter((e) => e.name !== self.name);
    const now = needs.now();
    for (let number = 0; number < log.partitions; number++) {
      if (owned.has(number) || taking.has(number) || (notBefore.get(number) ?? 0) > now) continue;
      if (ownerOf(number, sharing)?.name !== self.name || isYielded(number, engines)) continue;
      taking.add(number);
      take(number, others)
        .catch((error) => again(number, error))
        .finally(() => taking.delete(number));
    }
  }

  return {
    partition: (number) => owned.get(number),
    owned: () => [...owned.values()],
    ownerOf: (number) => ownerOf(number),
    reconcile,
    async release(number, to) {
      const partition = owned.get(number);
      if (!partition) return false;
      owned.delete(number);
      const joiner = living().find((e) => e.name === to);
      if (joiner) yielded.set(number, { to: idOf(joiner), until: needs.now() + YIELD_MS });
      taking.add(number); // until its last append is over, it is not taken again
      await partition.release().finally(() => taking.delete(number));
      logger.info({ partition: number }, 'partition handed over');
      return true;
    },
    lost(number, epoch, reason) {
      // A later taking of the same partition is not what was lost.
      if (owned.get(number)?.epoch !== epoch) return;
      owned.delete(number);
      again(number, new LogError(reason, `partition ${number} was lost`));
    },
    async leave() {
      leaving = true;
      await Promise.all([...owned.keys()].map((number) => this.release(number)));
    },
  };
}

/** When to try again: soon where the log was away, later where another engine fenced us or can read what we can't. */
function againMs(error: unknown): number {
  if (!(error instanceof LogError)) return UNREADABLE_MS;
  return error.code === 'fenced' ? AGAIN_MS + Math.random() * AGAIN_MS : AGAIN_MS / 10;
}

async function withDeadline(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => {
    timer = setTimeout(done, ms);
  });
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
