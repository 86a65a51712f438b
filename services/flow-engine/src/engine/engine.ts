/** One engine: the link's facts find their partition, the registry's deaths find their calls, and nodes are picked. */
import type { EventLog, SeenNode } from '@opentact/event-log';
import { createEngineLink, type NodeRef } from '@opentact/link';
import type { FactOf, To } from '@opentact/proto';
import { HELPERS } from '@opentact/proto/requests';
import { type Logger, partitionOf, rendezvous } from '@opentact/runtime';
import { stepWith } from '../domain/step.ts';
import type { PeerWord } from './dispatcher.ts';
import type { DocumentReader } from './document-reader.ts';
import { CallError } from './learner.ts';
import { createOwnership, type Ownership } from './ownership.ts';
import { openPartition } from './partition.ts';
import { createRefusedCalls } from './refused-calls.ts';

const NODE_SILENT_MS = 3_000;
const RECONCILE_MS = 250;
const JUDGE_EVERY = 4;
const REPORTERS = new Set<string>(['sip-edge', 'media', ...HELPERS]);
/** A node above this load takes new calls only where no other can; below it one of this process is asked first. */
const LOADED_PERCENT = 90;

export type EngineNeeds = {
  log: EventLog;
  self: { name: string; boot: string };
  logger: Logger;
  /** Reads documents off this thread; its maker closes it. */
  documents: DocumentReader;
  now?: () => number;
  askRelease(engine: SeenNode, partition: number): Promise<void>;
  answers(engine: SeenNode): boolean;
  /** Says to the owner of another call, which is another engine. */
  tellPeer(owner: SeenNode, callId: string, accountId: string, said: PeerFact): Promise<void>;
};

/** What one call hears of another. */
export type PeerFact = FactOf<'PeerJoined' | 'PeerLeft'>;

export type Engine = {
  link: ReturnType<typeof createEngineLink>;
  ownership: Ownership;
  /** A call of ours hears what another one says. @throws CallError */
  hear(callId: string, accountId: string, said: PeerFact): Promise<void>;
  /** Begins to take partitions; the registry must have been joined. */
  start(): void;
  leave(): Promise<void>;
};

export function createEngine(needs: EngineNeeds): Engine {
  const { log, self, logger, documents } = needs;
  const now = needs.now ?? Date.now;
  const step = stepWith(documents.parse);
  const refused = createRefusedCalls();
  const at = (key: string) => ownership.partition(partitionOf(key, log.partitions));

  const link = createEngineLink({
    name: self.name,
    boot: self.boot,
    partitions: log.partitions,
    log: logger,
    handlers: {
      fact(fact, from) {
        const partition = ownership.partition(fact.partition);
        if (partition) partition.fact(fact, from);
        else link.notOwner(from, fact.partition, '');
      },
      takenOn: (key, seq) => at(key)?.takenOn(key, seq),
      refused: (key, seq, reason, from) => {
        at(key)?.refused(key, seq, reason);
        if (reason !== 'full') logger.warn({ peer: from.name, callId: key, seq, reason }, 'an ask was refused');
      },
      caughtUp: (number, epoch, from) => {
        const partition = ownership.partition(number);
        if (partition?.epoch === epoch) partition.caughtUp(from);
      },
      audit: (keys, from) => audit(keys, from),
      where: (key, part, from) => at(key)?.where(key, part, from),
      connected(node) {
        for (const partition of ownership.owned()) partition.nodeConnected(node);
        judge();
      },
      disconnected: () => judge(),
    },
  });

  const ownership = createOwnership({
    ...needs,
    now,
    open: (number) =>
      openPartition(
        {
          log,
          link,
          step,
          documents,
          self,
          now,
          logger,
          pick,
          tell,
          opened: judge,
          living,
          isDead,
          refused,
          lost: (lost, epoch, reason) => ownership.lost(lost, epoch, reason),
        },
        number,
      ),
  });

  async function hear(callId: string, accountId: string, said: PeerFact): Promise<void> {
    const partition = at(callId);
    if (!partition) throw new CallError('not-owner', `call ${callId} is another engine's`);
    await partition.hear(callId, accountId, said);
  }

  async function tell(word: PeerWord, accountId: string): Promise<'told' | 'gone'> {
    const said = saidBy(word);
    const owner = ownership.ownerOf(partitionOf(word.peerCallId, log.partitions));
    try {
      if (at(word.peerCallId)) await hear(word.peerCallId, accountId, said);
      else if (owner && owner.name !== self.name) await needs.tellPeer(owner, word.peerCallId, accountId, said);
      else throw new CallError('not-owner', `nobody owns call ${word.peerCallId} now`);
      return 'told';
    } catch (error) {
      if (error instanceof CallError && error.code !== 'not-owner') return 'gone';
      throw error;
    }
  }

  /** Nodes that may hold facts of a partition, by the registry: some may not have found this engine yet. */
  function living(): Array<{ name: string; boot: string }> {
    return log.registry.nodes().filter((n) => REPORTERS.has(n.kind) && !n.gone && n.silentMs < NODE_SILENT_MS);
  }

  function isDead({ node, boot }: To): boolean {
    const row = log.registry.nodes().find((n) => n.name === node);
    return log.registry.healthy() && (!row || row.boot !== boot || row.gone);
  }

  const pick = (kind: string, callId: string, except: To[]) => pickAmong(link.nodes(), kind, callId, except);

  function audit(keys: string[], from: NodeRef): void {
    const byPartition = Map.groupBy(keys, (key) => partitionOf(key, log.partitions));
    for (const [number, mine] of byPartition) void ownership.partition(number)?.audit(mine, from);
  }

  /** Nobody is declared lost while the log is away, nor while its stream to us stands. */
  function judge(): void {
    if (!log.registry.healthy()) return;
    const connected = new Set(link.nodes().map((n) => `${n.name}/${n.boot}`));
    const seen = new Map(log.registry.nodes().map((n) => [n.name, n]));
    const isLost = ({ node, boot }: To) => {
      if (connected.has(`${node}/${boot}`)) return false;
      const row = seen.get(node);
      return !row || row.boot !== boot || row.gone || row.silentMs > NODE_SILENT_MS;
    };
    for (const partition of ownership.owned()) if (partition.isReady()) partition.judge(isLost);
  }

  let turns = 0;
  let interval: NodeJS.Timeout | undefined;
  let unwatch = () => {};
  return {
    link,
    ownership,
    hear,
    start() {
      unwatch = log.registry.watch(() => {
        ownership.reconcile();
        judge();
      });
      interval = setInterval(() => {
        ownership.reconcile();
        // A call may be learned after its node's death was told.
        if (++turns % JUDGE_EVERY === 0) judge();
      }, RECONCILE_MS);
      ownership.reconcile();
    },
    async leave() {
      unwatch();
      clearInterval(interval);
      await ownership.leave();
    },
  };
}

/** The node that a call is given. */
function pickAmong(nodes: NodeRef[], kind: string, callId: string, except: To[]): To | undefined {
  const fit = nodes.filter((n) => n.kind === kind && !except.some((e) => e.node === n.name && e.boot === n.boot));
  const light = fit.filter((n) => n.loadPercent < LOADED_PERCENT);
  const near = light.filter((n) => n.isNear);
  const among = [near, light, fit].find((some) => some.length > 0) ?? [];
  const name = rendezvous(
    callId,
    among.map((n) => n.name),
  );
  const chosen = among.find((n) => n.name === name);
  return chosen && { node: chosen.name, boot: chosen.boot };
}

/** A call's wish to tell another, as that one hears it. */
function saidBy(word: PeerWord): PeerFact {
  const { callId: peerCallId, seq: peerSeq } = word;
  if (word.type === 'PeerLeaveRequested')
    return { type: 'PeerLeft', peerCallId, peerSeq, reason: word.reason, requestId: 0 };
  const { node, boot, hosts } = word;
  return { type: 'PeerJoined', peerCallId, peerSeq, node, boot, hosts };
}
