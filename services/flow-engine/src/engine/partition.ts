/**
 * One owned partition: one writer, one append in flight, everything that arrived meanwhile in the next batch. It learns,
 * appends, and only then acknowledges and asks. Any failure of the log ends it; taking it again is the repair.
 */
import { type EventLog, LogError, type NewRecord, type Writer } from '@opentact/event-log';
import type { EngineLinkServer, FactIn, NodeRef } from '@opentact/link';
import { type CallEvent, decodeEvent, encodeEvent, type Observed, type Reported, type To } from '@opentact/proto';
import type { Logger } from '@opentact/runtime';
import { SERVED_BY } from '../domain/address.ts';
import { admission, type Call, isSettled, newCall } from '../domain/call.ts';
import { isObserved } from '../domain/observed.ts';
import type { Step } from '../domain/step.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import * as memory from './memory.ts';
import { JOURNAL, recordOf, takenRecord } from './story.ts';
import { createTimers, type Timers } from './timers.ts';

const BATCH_FACTS_MAX = 500;
/** Facts that may wait for a partition; beyond it they are turned away, and the node that still holds them sends again. */
const INBOX_MAX = 20_000;
/** Facts from which nobody awaits anything join the next append, and wait so long for one. */
const PATIENT: ReadonlySet<string> = new Set(['LegConfirmed', 'SessionReleased']);
const PATIENT_MS = 50;
const SWEEP_MS = 250;
const LOW_WATER_MS = 1_000;
/** Nodes have this long to hand over what they hold before asks and timers start. */
export const CATCH_UP_MS = 300;

export type PartitionNeeds = {
  log: EventLog;
  link: EngineLinkServer;
  step: Step;
  self: { name: string; boot: string };
  now(): number;
  logger: Logger;
  pick(kind: string, callId: string, except: To[]): To | undefined;
  /** Asks and timers of the partition run from here on. */
  opened(partition: number): void;
  /** The partition is no more: `fenced`, `unavailable`, or a defect. */
  lost(partition: number, reason: 'fenced' | 'unavailable'): void;
};

type Item =
  | { kind: 'fact'; fact: FactIn; from: NodeRef; observed: Reported }
  | { kind: 'own'; callId: string; observed: Observed; done?: (error?: Error) => void };

export type Partition = {
  readonly number: number;
  readonly epoch: number;
  /** Opens to facts; asks and timers wait until every node has said that it is caught up, or 300 ms. */
  open(): void;
  fact(fact: FactIn, from: NodeRef): void;
  /** Hands in an observed fact of the engine's own; resolves when durable. @throws CallError */
  observe(callId: string, observed: Observed): Promise<void>;
  /** Tells every call which of its nodes are dead. */
  judge(isLost: (node: To) => boolean): void;
  nodeConnected(node: NodeRef): void;
  takenOn(callId: string, seq: number): void;
  refused(callId: string, seq: number, reason: string): void;
  caughtUp(node: NodeRef): void;
  audit(keys: string[], from: NodeRef): Promise<void>;
  call(id: string): Call | undefined;
  isReady(): boolean;
  /** Finishes the append in flight, says nothing more, and gives the signs of life back. */
  release(): Promise<void>;
  figures(): { calls: number; appends: number; events: number; inbox: number };
};

/** A command that the call can't take. */
export class CallError extends Error {
  readonly code: 'not-found' | 'ended' | 'not-owner';
  constructor(code: CallError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Fences earlier owners and folds the story; `open()` lets facts in. @throws LogError */
export async function openPartition(needs: PartitionNeeds, number: number): Promise<Partition> {
  const started = needs.now();
  const writer = await needs.log.take(JOURNAL, number);
  const taken = { partition: number, epoch: writer.epoch, node: needs.self.name, boot: needs.self.boot };
  await writer.append({ records: [takenRecord(taken)] });
  const { calls, position } = await memory.load(needs.log, number, needs.now());
  const partition = new OwnedPartition(needs, number, writer, calls, position);
  needs.logger.info(
    { partition: number, epoch: writer.epoch, calls: calls.size, tookMs: needs.now() - started },
    'partition taken',
  );
  partition.open();
  return partition;
}

class OwnedPartition implements Partition {
  readonly number: number;
  readonly epoch: number;
  readonly #needs: PartitionNeeds;
  readonly #writer: Writer;
  readonly #calls: Map<string, memory.Remembered>;
  readonly #dispatcher: Dispatcher;
  readonly #timers: Timers;
  readonly #tombstones = new Set<string>();
  #position: number;
  #inbox: Item[] = [];
  #state: 'catching-up' | 'ready' | 'closed' = 'catching-up';
  #awaited = new Set<string>();
  #appending: Promise<void> | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #later: NodeJS.Timeout | undefined;
  #appendedAt = 0;
  #markedAt = 0;
  #figures = { appends: 0, events: 0 };

  constructor(
    needs: PartitionNeeds,
    number: number,
    writer: Writer,
    calls: Map<string, memory.Remembered>,
    position: number,
  ) {
    this.number = number;
    this.epoch = writer.epoch;
    this.#needs = needs;
    this.#writer = writer;
    this.#calls = calls;
    this.#position = position;
    const observe = (callId: string, observed: Observed) => this.#push({ kind: 'own', callId, observed });
    this.#dispatcher = createDispatcher({
      link: needs.link,
      epoch: writer.epoch,
      now: needs.now,
      pick: needs.pick,
      observe,
    });
    this.#timers = createTimers(needs.now, (callId, timerId, purpose) =>
      observe(callId, { type: 'TimerFired', timerId, purpose }),
    );
  }

  open(): void {
    const nodes = this.#needs.link.nodes();
    this.#awaited = new Set(nodes.map((n) => `${n.name}/${n.boot}`));
    this.#needs.link.open(this.number, this.epoch);
    if (this.#awaited.size === 0) this.#ready();
    else setTimeout(() => this.#ready(), CATCH_UP_MS);
  }

  caughtUp(node: NodeRef): void {
    this.#awaited.delete(`${node.name}/${node.boot}`);
    // What they handed over is appended first.
    if (this.#awaited.size === 0) setImmediate(() => this.#ready());
  }

  #ready(): void {
    if (this.#state !== 'catching-up') return;
    if (this.#appending) {
      void this.#appending.then(() => this.#ready());
      return;
    }
    this.#state = 'ready';
    for (const { call } of this.#calls.values()) {
      this.#dispatcher.follow(call);
      this.#timers.follow(call);
    }
    this.#sweep = setInterval(() => this.#tidy(), SWEEP_MS);
    this.#needs.logger.info({ partition: this.number, epoch: this.epoch }, 'partition ready');
    this.#needs.opened(this.number);
  }

  isReady(): boolean {
    return this.#state === 'ready';
  }

  call(id: string): Call | undefined {
    return this.#calls.get(id)?.call;
  }

  figures() {
    return { calls: this.#calls.size, ...this.#figures, inbox: this.#inbox.length };
  }

  fact(fact: FactIn, from: NodeRef): void {
    const observed = this.#read(fact);
    // A delayed offer is answered in the ACK: then media waits for it.
    const patient = PATIENT.has(observed.type) && !('sdp' in observed && observed.sdp);
    this.#push({ kind: 'fact', fact, from, observed }, patient);
  }

  observe(callId: string, observed: Observed): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = this.call(callId);
      if (!call) return reject(new CallError('not-found', `no call ${callId}`));
      if (call.state !== 'live') return reject(new CallError('ended', `call ${callId} has ended`));
      this.#push({ kind: 'own', callId, observed, done: (error) => (error ? reject(error) : resolve()) });
    });
  }

  judge(isLost: (node: To) => boolean): void {
    for (const { call } of this.#calls.values())
      for (const lost of lostNodes(call, isLost))
        this.#push({ kind: 'own', callId: call.id, observed: { type: 'NodeLost', ...lost } });
  }

  nodeConnected(node: NodeRef): void {
    if (this.#state === 'ready') this.#dispatcher.askAgain(node);
  }

  takenOn(callId: string, seq: number): void {
    this.#dispatcher.takenOn(callId, seq);
  }

  refused(callId: string, seq: number, reason: string): void {
    this.#dispatcher.refused(callId, seq, reason);
  }

  async audit(keys: string[], from: NodeRef): Promise<void> {
    if (this.#state !== 'ready') return;
    const now = this.#needs.now();
    if (now - this.#appendedAt > 1_000 && !(await this.#writer.check().catch(() => false))) return;
    const gone = keys.filter((key) => {
      const call = this.call(key);
      return !call || isSettled(call);
    });
    this.#needs.link.auditAnswer(from, this.number, this.epoch, gone);
  }

  async release(): Promise<void> {
    this.#close();
    await this.#appending;
    await this.#writer.release();
  }

  #close(): void {
    this.#state = 'closed';
    this.#needs.link.shut(this.number);
    clearInterval(this.#sweep);
    clearTimeout(this.#later);
    this.#timers.close();
    for (const item of this.#inbox) this.#turnAway(item);
    this.#inbox = [];
  }

  #turnAway(item: Item): void {
    if (item.kind === 'fact') this.#needs.link.notOwner(item.from, this.number, '');
    else item.done?.(new CallError('not-owner', `partition ${this.number} moved`));
  }

  #push(item: Item, patient = false): void {
    if (this.#state === 'closed' || this.#inbox.length >= INBOX_MAX) {
      this.#turnAway(item);
      return;
    }
    this.#inbox.push(item);
    if (this.#appending) return;
    if (patient && this.#state === 'ready') this.#later ??= setTimeout(() => this.#begin(), PATIENT_MS);
    else this.#begin();
  }

  /** The next turn of the event loop takes whatever came in this one. */
  #begin(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#appending ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#inbox.length > 0 && this.#state !== 'closed') {
      const batch = this.#learn(this.#inbox.splice(0, BATCH_FACTS_MAX));
      try {
        await this.#append(batch);
      } catch (error) {
        return this.#lose(error, batch);
      }
      this.#act(batch);
    }
    this.#appending = undefined;
    if (this.#inbox.length > 0 && this.#state !== 'closed') this.#appending = this.#run();
  }

  #lose(error: unknown, batch: Learned): void {
    const reason = error instanceof LogError ? error.code : 'unavailable';
    this.#needs.logger.warn({ partition: this.number, epoch: this.epoch, reason, err: error }, 'partition lost');
    for (const item of batch.items) this.#turnAway(item);
    this.#close();
    this.#needs.lost(this.number, reason);
  }

  /** Everything that follows from a batch of items, in memory only. */
  #learn(items: Item[]): Learned {
    const learned: Learned = {
      items,
      records: [],
      events: 0,
      calls: new Set(),
      acks: new Map(),
      hints: [],
      answers: [],
    };
    for (const item of items) {
      if (item.kind === 'fact') this.#learnFact(item, learned);
      else this.#learnOwn(item, learned);
    }
    return learned;
  }

  #learnOwn(item: Extract<Item, { kind: 'own' }>, learned: Learned): void {
    const { callId, observed, done } = item;
    const entry = this.#calls.get(callId);
    const error = !entry
      ? new CallError('not-found', `no call ${callId}`)
      : refusalOf(entry.call, observed, done !== undefined);
    if (entry && !error && isWanted(entry.call, observed)) this.#step(entry, observed, learned);
    if (done) learned.answers.push(() => done(error));
  }

  #read(fact: FactIn): Reported {
    const place = { source: fact.source, boot: fact.boot, n: fact.n, observedAt: fact.observedAt };
    try {
      const event = decodeEvent(fact.payload);
      if (!isObserved(event)) throw new Error(`${event.type} is not observed by nodes`);
      const { callId: _, seq: __, at: ___, to: ____, ...body } = event;
      return { ...body, from: place } as Reported;
    } catch (error) {
      this.#needs.logger.error({ callId: fact.key, source: fact.source, err: error }, 'unreadable fact');
      return { type: 'CallFaulted', reason: 'unreadable fact', from: place } as unknown as Reported;
    }
  }

  #learnFact({ fact, from, observed }: Extract<Item, { kind: 'fact' }>, learned: Learned): void {
    const { link } = this.#needs;
    const place = observed.from!;
    let entry = this.#calls.get(fact.key);
    if (!entry) {
      if (observed.type !== 'CallArrived') {
        link.unknown(from, fact.key, this.epoch);
        return;
      }
      entry = memory.remember(newCall(fact.key));
    } else if (observed.type === 'CallArrived' && entry.call.edge && !isSame(entry.call.edge, place)) {
      const { topBranch, requestUri } = entry.call.origin;
      const payload = new TextEncoder().encode(JSON.stringify({ topBranch, requestUri }));
      link.known(from, fact.key, { ...entry.call.edge, payload });
      return;
    }
    const admitted = admission(entry.call, place);
    if (admitted === 'gap') {
      link.gap(from, fact.key, (entry.call.seen[`${place.source}/${place.boot}`] ?? 0) + 1, this.epoch);
      return;
    }
    // What it repeats was learned by an append that is durable, or is part of this one.
    learned.acks.set(`${fact.key}\n${fact.source}`, {
      to: from,
      key: fact.key,
      n: Math.max(fact.n, learned.acks.get(`${fact.key}\n${fact.source}`)?.n ?? 0),
    });
    if (admitted === 'duplicate') return;
    this.#calls.set(fact.key, entry);
    this.#step(entry, observed, learned);
  }

  /** Steps a call, answers its look-ups of nodes at once, and faults it alone if the core throws. */
  #step(entry: memory.Remembered, observed: Reported, learned: Learned): void {
    const at = this.#needs.now();
    const events: CallEvent[] = [];
    const take = (fact: Reported) => {
      const stepped = this.#needs.step(entry.call, fact, at);
      entry.call = stepped.call;
      events.push(...stepped.events);
      return stepped.events;
    };
    const before = entry.call;
    let records: NewRecord[];
    try {
      for (const event of take(observed)) this.#lookUp(event, take);
      records = events.map(recordOf);
    } catch (error) {
      this.#needs.logger.error({ callId: before.id, err: error }, 'call faulted');
      entry.call = before;
      events.length = 0;
      try {
        take({
          type: 'CallFaulted',
          reason: (error as Error).message.slice(0, 200),
          ...(observed.from && { from: observed.from }),
        } as unknown as Reported);
        records = events.map(recordOf);
      } catch (again) {
        this.#needs.logger.fatal({ callId: before.id, err: again }, 'call dropped');
        this.#calls.delete(before.id);
        return;
      }
    }
    for (const event of events) if (event.type === 'DocumentAccepted') learned.hints.push({ call: entry, event });
    memory.note(
      entry,
      this.#position,
      at,
      records.length,
      records.reduce((sum, r) => sum + r.bytes.length, 0),
    );
    learned.records.push(...records);
    learned.calls.add(entry);
  }

  #lookUp(event: CallEvent, take: (fact: Reported) => CallEvent[]): void {
    if (event.type !== 'NodeRequested') return;
    const found = this.#needs.pick(event.kind, event.callId, event.except);
    if (!found) return;
    for (const next of take({ type: 'NodeAssigned', requestId: event.seq, kind: event.kind, ...found }))
      this.#lookUp(next, take);
  }

  async #append(learned: Learned): Promise<void> {
    const now = this.#needs.now();
    if (learned.records.length === 0 && this.#tombstones.size === 0) return;
    const snapshots: Array<{ key: string; bytes: Uint8Array | null }> = [];
    for (const entry of learned.calls) if (memory.wantsSnapshot(entry)) snapshots.push(memory.takeSnapshot(entry));
    for (const key of this.#tombstones) snapshots.push({ key, bytes: null });
    let mark: number | undefined;
    if (now - this.#markedAt > LOW_WATER_MS) {
      const found = memory.lowWater(this.#calls.values(), this.#position, now);
      for (const entry of found.overdue) snapshots.push(memory.takeSnapshot(entry));
      mark = found.mark;
      this.#markedAt = now;
    }
    this.#position = await this.#writer.append({
      records: learned.records,
      ...(snapshots.length > 0 && { snapshots }),
      ...(mark !== undefined && { lowWater: mark }),
    });
    this.#tombstones.clear();
    this.#appendedAt = now;
    this.#figures.appends++;
    this.#figures.events += learned.records.length;
  }

  /** First written, then acknowledged and asked. */
  #act(learned: Learned): void {
    const { link } = this.#needs;
    for (const { to, key, n } of learned.acks.values()) link.ack(to, key, n, this.epoch);
    for (const answer of learned.answers) answer();
    for (const { call, event } of learned.hints)
      if (call.call.media) link.hint(call.call.media, call.call.id, encodeEvent(event));
    for (const entry of learned.calls) {
      if (this.#state === 'ready') {
        this.#dispatcher.follow(entry.call);
        this.#timers.follow(entry.call);
      }
      if (entry.settledAt === 0 && isSettled(entry.call)) this.#settle(entry);
    }
  }

  #settle(entry: memory.Remembered): void {
    entry.settledAt = this.#needs.now();
    for (const source of Object.keys(entry.call.seen)) {
      const slash = source.lastIndexOf('/');
      this.#needs.link.settled(
        { node: source.slice(0, slash), boot: source.slice(slash + 1) },
        entry.call.id,
        this.epoch,
      );
    }
  }

  #tidy(): void {
    const now = this.#needs.now();
    this.#dispatcher.sweep(now);
    for (const [id, entry] of this.#calls) {
      if (!memory.isForgettable(entry, now)) continue;
      this.#calls.delete(id);
      this.#dispatcher.forget(id);
      this.#timers.forget(id);
      if (entry.snapshotted) this.#tombstones.add(id);
    }
  }
}

type Learned = {
  items: Item[];
  records: NewRecord[];
  events: number;
  calls: Set<memory.Remembered>;
  acks: Map<string, { to: NodeRef; key: string; n: number }>;
  hints: Array<{ call: memory.Remembered; event: CallEvent }>;
  answers: Array<() => void>;
};

const isSame = (node: To, place: { source: string; boot: string }) =>
  node.node === place.source && node.boot === place.boot;

/** Why a command can't be taken; undefined where it can (a repeated one is taken as done). */
function refusalOf(call: Call, _observed: Observed, isCommand: boolean): CallError | undefined {
  return isCommand && call.state !== 'live' ? new CallError('ended', `call ${call.id} has ended`) : undefined;
}

/** The engine's own observations are dropped where their question is no longer open. */
function isWanted(call: Call, observed: Observed): boolean {
  if (observed.type === 'TimerFired') return call.timers[observed.timerId] !== undefined;
  if ('idempotencyKey' in observed) return !call.orders.includes(observed.idempotencyKey as string);
  return !('requestId' in observed) || call.outstanding[observed.requestId] !== undefined;
}

/** The dead nodes that a call still builds on, each once. */
function lostNodes(call: Call, isLost: (node: To) => boolean): Array<{ kind: string; node: string; boot: string }> {
  const found = new Map<string, { kind: string; node: string; boot: string }>();
  const look = (kind: string, at?: To) => {
    if (at && isLost(at)) found.set(`${at.node}/${at.boot}`, { kind, node: at.node, boot: at.boot });
  };
  if (call.state === 'live') {
    look('media', call.media);
    look('notifier', call.notifier);
  }
  for (const leg of call.legs) {
    if (leg.state !== 'ended') look('sip-edge', leg.edge);
    look('media', leg.session?.node);
  }
  for (const request of Object.values(call.outstanding)) {
    const kind = SERVED_BY[request.type];
    // A document is asked for elsewhere once another notifier is assigned, not lost with its node.
    if (kind && kind !== 'notifier') look(kind, request.to);
  }
  return [...found.values()];
}
