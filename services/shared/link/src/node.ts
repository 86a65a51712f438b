/**
 * The node's half of the link: finds the engines, sends each fact to the owner of its key until it is durable, hands
 * each ask to the service once. It refuses asks for another boot and words of an owner that was replaced.
 */
import type { EventLog } from '@opentact/event-log';
import { type Logger, partitionOf } from '@opentact/runtime';
import { createAudit } from './audit.ts';
import type { EngineStream, OfEngine } from './engine-stream.ts';
import { createEngines } from './engines.ts';
import { createFactStore, type KeyState, STORE_LIMITS, type StoreLimits } from './fact-store.ts';
import type { LocalEngines } from './local.ts';
import type { NodeHandlers, NodeLink } from './port.ts';
import { createQuestions } from './questions.ts';

const AUDIT_EVERY_MS = 30_000;
/** Who is full says so soon: an engine asks a node of its own process first. */
const HELLO_AGAIN_MS = 250;
const GAP_ONCE_MS = 100;

export type NodeLinkOptions = {
  name: string;
  boot: string;
  /** sip-edge, media, notifier. */
  kind: string;
  /** Where engines are found, and how many partitions keys lie in. */
  events: Pick<EventLog, 'partitions' | 'registry'>;
  handlers: NodeHandlers;
  log: Logger;
  /** Load in percent, told to the engines as it changes. */
  load?: () => number;
  token?: string | undefined;
  /** Engines of this process. */
  local?: LocalEngines | undefined;
  limits?: Partial<StoreLimits>;
  auditEveryMs?: number;
  /** ms since the epoch. */
  now?: () => number;
};

/** Who owns a partition, as far as is known here. `stream` undefined: an owner is awaited. */
type Ownership = { epoch: number; stream: EngineStream | undefined };

type Of<C extends OfEngine['$case']> = Extract<OfEngine, { $case: C }>['value'];

export function createNodeLink(options: NodeLinkOptions): NodeLink {
  const { name, boot, kind, events, handlers, log, now = Date.now, load = () => 0 } = options;
  const { partitions, registry } = events;
  const store = createFactStore(partitions, { ...STORE_LIMITS, ...options.limits }, now);
  const owners: Ownership[] = Array.from({ length: partitions }, () => ({ epoch: 0, stream: undefined }));
  const hello = () => ({ name, boot, kind, loadPercent: Math.max(0, Math.round(load())) });

  /** A handler that throws breaks its own promise, not this link. */
  function call(handler: string, run: () => void): void {
    try {
      run();
    } catch (err) {
      log.error({ err, handler }, 'a handler of the link threw');
    }
  }
  function send(state: KeyState, facts = state.held): void {
    const { stream } = owners[state.partition]!;
    for (const { n, observedAt, payload } of facts)
      stream?.send({ $case: 'fact', value: { key: state.key, n, observedAt, payload: asBuffer(payload) } });
  }
  function gone(key: string): void {
    store.drop(key);
    call('gone', () => handlers.gone(key));
  }
  /** Words of an owner that was replaced count no more. */
  const outdated = (key: string, epoch: number) => epoch < owners[partitionOf(key, partitions)]!.epoch;

  function opened({ partition, epoch }: Of<'partitionOpened'>, stream: EngineStream): void {
    const owner = owners[partition];
    if (!owner || epoch < owner.epoch) return;
    owners[partition] = { epoch, stream };
    for (const state of store.keysOf(partition)) send(state);
    stream.send({ $case: 'caughtUp', value: { partition, epoch } });
    questions.askAgain((key) => partitionOf(key, partitions) === partition);
  }
  function asked({ key, seq, epoch, boot: meant, payload, account }: Of<'ask'>, stream: EngineStream): void {
    const reason =
      meant !== boot ? 'lost' : outdated(key, epoch) ? 'stale' : !store.find(key) && store.full() ? 'full' : undefined;
    if (reason) {
      stream.send({ $case: 'refused', value: { key, seq, epoch, reason } });
      return;
    }
    const state = store.stateOf(key);
    const isNew = !state.asked.has(seq);
    state.asked.add(seq);
    stream.send({ $case: 'takenOn', value: { key, seq, epoch } });
    // Asked again: its answer is on its way as a fact, which is kept until durable.
    if (isNew) call('ask', () => handlers.ask({ key, seq, payload, account: account || key }));
  }
  function fillGap({ key, expected, epoch }: Of<'gap'>): void {
    const state = store.find(key);
    if (!state || outdated(key, epoch)) return;
    // Each fact behind a gap is answered by the same gap.
    if (state.gap?.expected === expected && now() - state.gap.at < GAP_ONCE_MS) return;
    state.gap = { expected, at: now() };
    const oldest = state.held[0]?.n;
    if (oldest !== undefined && expected < oldest) {
      // What is asked for was acknowledged before. At 1 the owner begins anew; else it lost what it had promised.
      if (expected > 1) log.error({ key, expected, oldest }, 'the owner misses facts that it acknowledged');
      store.renumber(state, expected);
    }
    send(
      state,
      state.held.filter((fact) => fact.n >= expected),
    );
  }
  function notOwner({ partition }: Of<'notOwner'>, stream: EngineStream): void {
    const owner = owners[partition];
    if (owner?.stream === stream) owners[partition] = { epoch: owner.epoch, stream: undefined };
  }
  function known({ key, node, boot: theirs, payload }: Of<'known'>): void {
    const state = store.find(key);
    if (state?.held[0]?.begins) {
      // The owner did not learn our first fact, so our next one is again the first.
      store.answerFirst(state);
      store.renumber(state, 1);
      send(state);
    }
    call('known', () => handlers.known(key, node, theirs, payload));
  }
  const questions = createQuestions((value) =>
    owners[partitionOf(value.key, partitions)]!.stream?.send({ $case: 'where', value }),
  );
  const audit = createAudit({
    held: () => {
      let keys: string[] = [];
      call('held', () => {
        keys = handlers.held();
      });
      return keys;
    },
    store,
    partitions,
    ownerOf: (partition) => owners[partition]?.stream,
    gone,
  });
  function heard(item: OfEngine, stream: EngineStream): void {
    switch (item.$case) {
      case 'hello':
        if (item.value.partitions !== partitions)
          log.error({ engine: item.value.name, theirs: item.value.partitions, ours: partitions }, 'partitions differ');
        return;
      case 'partitionOpened':
        opened(item.value, stream);
        return;
      case 'ask':
        asked(item.value, stream);
        return;
      case 'ack':
        if (!outdated(item.value.key, item.value.epoch)) store.ack(item.value.key, item.value.n);
        return;
      case 'gap':
        fillGap(item.value);
        return;
      case 'notOwner':
        notOwner(item.value, stream);
        return;
      case 'unknown':
        if (!outdated(item.value.key, item.value.epoch)) gone(item.value.key);
        return;
      case 'known':
        known(item.value);
        return;
      case 'settled':
        if (!outdated(item.value.key, item.value.epoch)) store.forget(item.value.key);
        return;
      case 'auditAnswer':
        if (item.value.epoch >= (owners[item.value.partition]?.epoch ?? 0))
          audit.answered(item.value.partition, item.value.gone);
        return;
      case 'there':
        if (!outdated(item.value.key, item.value.epoch)) questions.answered(item.value);
        return;
      case 'hint':
        call('hint', () => handlers.hint(item.value.key, item.value.payload, item.value.account || item.value.key));
        return;
    }
  }
  function streamEnded(stream: EngineStream): void {
    owners.forEach((owner, partition) => {
      if (owner.stream === stream) owners[partition] = { epoch: owner.epoch, stream: undefined };
    });
  }
  const engines = createEngines({ ...options, registry, hello, heard, ended: streamEnded });
  let toldLoad = -1;
  const timers = [
    setInterval(() => audit.ask(), options.auditEveryMs ?? AUDIT_EVERY_MS).unref(),
    setInterval(() => {
      const value = hello();
      if (value.loadPercent === toldLoad) return;
      toldLoad = value.loadPercent;
      engines.sendAll({ $case: 'hello', value });
    }, HELLO_AGAIN_MS).unref(),
  ];
  return {
    name,
    boot,
    report(key, payload) {
      const { state, fact } = store.add(key, payload);
      if (state.held.at(-1) === fact) send(state, [fact]);
      return fact.settle.promise;
    },
    forget: store.letGo,
    pending: store.pending,
    full: store.full,
    ready: (key) =>
      key === undefined
        ? owners.every(({ stream }) => stream?.open() === true)
        : owners[partitionOf(key, partitions)]!.stream?.open() === true,
    where: questions.ask,
    async close() {
      questions.close();
      for (const timer of timers) clearInterval(timer);
      engines.close();
    },
  };
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
