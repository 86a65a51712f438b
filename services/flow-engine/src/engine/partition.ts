/**
 * One owned partition: one writer, one append in flight, everything that arrived meanwhile in the next batch. It learns,
 * appends, and only then acknowledges and asks. Any failure of the log ends it; taking it again is the repair.
 */
import { LogError, type Writer } from '@opentact/event-log';
import type { FactIn, NodeRef } from '@opentact/link';
import { encodeEvent, type FactOf, type Observed, type To } from '@opentact/proto';
import { type Call, isSettled } from '../domain/call.ts';
import { lostNodes } from '../domain/nodes.ts';
import { createDispatcher, type Dispatcher, type PeerWord } from './dispatcher.ts';
import { createDocumentGate } from './document-gate.ts';
import { CallError, createLearner, faultOf, type Item, type Learned, readFact, refusalOf } from './learner.ts';
import * as memory from './memory.ts';
import type { PartitionNeeds } from './partition-needs.ts';
import { PartitionWriter } from './partition-writer.ts';
import { JOURNAL, takenRecord } from './story.ts';
import { createTimers, type Timers } from './timers.ts';

const BATCH_FACTS_MAX = 500;
/** Facts that may wait for a partition; more are left with the nodes that hold them, and asked for again when it is empty. */
const INBOX_MAX = 20_000;
/** Facts from which nobody awaits anything join the next append, and wait so long for one. */
const PATIENT: ReadonlySet<string> = new Set(['LegConfirmed', 'SessionReleased']);
const PATIENT_MS = 50;
const SWEEP_MS = 250;
/** An owner that appends nothing asks so often whether it still is one: it may have slept through its own fencing. */
const CHECK_MS = 2_000;
/** Nodes have this long to hand over what they hold before asks and timers start. */
const CATCH_UP_MS = 300;

/** Fences earlier owners and folds the story; `open()` lets facts in. @throws LogError, UnknownEvent */
export async function openPartition(needs: PartitionNeeds, number: number): Promise<Partition> {
  const started = needs.now();
  const writer = await needs.log.take(JOURNAL, number);
  const taken = { partition: number, epoch: writer.epoch, node: needs.self.name, boot: needs.self.boot };
  await writer.append({ records: [takenRecord(taken)] });
  const loaded = await memory.load(needs.log, number, needs.now());
  needs.refused.mark(loaded);
  const fields = { partition: number, epoch: writer.epoch, calls: loaded.calls.size, tookMs: needs.now() - started };
  needs.logger.info(fields, 'partition taken');
  return new Partition(needs, number, writer, loaded);
}

export class Partition {
  readonly number: number;
  readonly epoch: number;
  readonly #needs: PartitionNeeds;
  readonly #writer: PartitionWriter;
  readonly #calls: Map<string, memory.Remembered>;
  readonly #broken: Map<string, Error>;
  readonly #learner: ReturnType<typeof createLearner>;
  readonly #dispatcher: Dispatcher;
  readonly #timers: Timers;
  #inbox: Item[] = [];
  readonly #gate: ReturnType<typeof createDocumentGate>;
  #state: 'catching-up' | 'caught-up' | 'ready' | 'closed' = 'catching-up';
  #awaited = new Set<string>();
  #overflowed = false;
  #appending: Promise<void> | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #later: NodeJS.Timeout | undefined;
  #checkedAt = 0;

  constructor(needs: PartitionNeeds, number: number, writer: Writer, loaded: memory.Loaded) {
    this.number = number;
    this.epoch = writer.epoch;
    this.#needs = needs;
    const faulted = (callId: string, error: Error) => this.#fault(callId, error);
    this.#writer = new PartitionWriter({ writer, loaded, now: needs.now, faulted });
    this.#calls = loaded.calls;
    this.#broken = loaded.broken;
    this.#learner = createLearner(needs, loaded.calls, writer.epoch);
    const { link, now, pick } = needs;
    const observe = (callId: string, observed: Observed, request?: number) =>
      this.#push({ kind: 'own', callId, observed, ...(request !== undefined && { request }) });
    const tell = (word: PeerWord) => needs.tell(word, this.#call(word.callId)?.account ?? '');
    this.#dispatcher = createDispatcher({ link, epoch: writer.epoch, now, pick, observe, tell, isDead: needs.isDead });
    this.#gate = createDocumentGate(
      needs.documents,
      (id) => this.#call(id),
      (id) => this.#documentWaitMs(id),
      (item) => this.#take(item),
    );
    this.#timers = createTimers(now, (callId, timerId, purpose) =>
      observe(callId, { type: 'TimerFired', timerId, purpose }),
    );
  }

  /** Opens to facts; asks and timers wait until every living node has handed over what it holds, or 300 ms. */
  open(): void {
    const nodes = [...this.#needs.living(), ...this.#needs.link.nodes()];
    this.#awaited = new Set(nodes.map((n) => `${n.name}/${n.boot}`));
    this.#needs.link.open(this.number, this.epoch);
    for (const [callId, error] of this.#broken) {
      this.#needs.logger.error(
        { callId, partition: this.number, err: error },
        'a call is quarantined: its story can’t be read',
      );
      this.#push({ kind: 'own', callId, observed: faultOf(error) });
    }
    if (this.#awaited.size === 0) this.#catchUp();
    else setTimeout(() => this.#catchUp(), CATCH_UP_MS);
  }

  caughtUp(node: NodeRef): void {
    this.#awaited.delete(`${node.name}/${node.boot}`);
    if (this.#awaited.size === 0) setImmediate(() => this.#catchUp());
  }

  /** Ready as soon as what the nodes handed over is durable: between two appends, however busy it is. */
  #catchUp(): void {
    if (this.#state !== 'catching-up') return;
    this.#state = 'caught-up';
    if (!this.#appending) this.#ready();
  }

  #ready(): void {
    this.#state = 'ready';
    for (const { call } of this.#calls.values()) this.#follow(call);
    this.#sweep = setInterval(() => this.#tidy(), SWEEP_MS);
    this.#needs.logger.info({ partition: this.number, epoch: this.epoch }, 'partition ready');
    this.#needs.opened(this.number);
  }

  /** Asks what the call wants and arms its timers. A call that can't be followed is faulted, alone. */
  #follow(call: Call): void {
    try {
      this.#dispatcher.follow(call);
      this.#timers.follow(call);
    } catch (error) {
      this.#fault(call.id, error as Error);
    }
  }

  /** Says so in the call's story, once: of a call that is faulted nothing more can be said. */
  #fault(callId: string, error: Error): void {
    this.#needs.logger.error({ callId, err: error }, 'call faulted');
    if (this.#call(callId)?.state === 'live') this.#push({ kind: 'own', callId, observed: faultOf(error) });
  }

  isReady(): boolean {
    return this.#state === 'ready';
  }

  #call(id: string): Call | undefined {
    return this.#calls.get(id)?.call;
  }

  #documentWaitMs(id: string): number {
    const entry = this.#calls.get(id);
    return entry ? memory.documentWaitMs(entry, this.#needs.now()) : 0;
  }

  fact(fact: FactIn, from: NodeRef): void {
    if (this.#needs.refused.has(fact.key) && !this.knows(fact.key))
      return this.#needs.link.unknown(from, fact.key, this.epoch);
    const observed = readFact(fact, this.#needs.logger);
    // A delayed offer is answered in the ACK: then media waits for it.
    const patient = PATIENT.has(observed.type) && !('sdp' in observed && observed.sdp);
    this.#push({ kind: 'fact', fact, from, observed }, patient);
  }

  /** Is the call remembered here? One that ended some minutes ago no longer is. */
  knows(callId: string): boolean {
    return this.#calls.has(callId);
  }

  /** The call as it stands in the log, and where it began there; undefined where it isn't remembered here. */
  remembered(callId: string): Readonly<Pick<memory.Remembered, 'durable' | 'began'>> | undefined {
    return this.#calls.get(callId);
  }

  /** The account of a call that is remembered here. */
  accountOf(callId: string): string | undefined {
    return this.#call(callId)?.account;
  }

  /** Begins the call of an order, unless it has begun already; resolves with it when durable. @throws CallError */
  place(callId: string, observed: FactOf<'CallOrdered'>): Promise<Call | undefined> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => (error ? reject(error) : resolve(this.#call(callId)));
      this.#push({ kind: 'own', callId, observed, done });
    });
  }

  /** What another call of the account says to this one; resolves when durable. @throws CallError */
  async hear(callId: string, accountId: string, said: FactOf<'PeerJoined' | 'PeerLeft'>): Promise<void> {
    const call = this.#call(callId);
    if (call?.account !== accountId) throw new CallError('not-found', `no call ${callId}`);
    await this.observe(callId, said);
  }

  /** Hands in an observed fact of the engine's own; resolves when durable. @throws CallError */
  observe(callId: string, observed: Observed): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = this.#call(callId);
      const refusal = call ? refusalOf(call, observed, true) : new CallError('not-found', `no call ${callId}`);
      if (refusal) return reject(refusal);
      this.#push({ kind: 'own', callId, observed, done: (error) => (error ? reject(error) : resolve()) });
    });
  }

  /** Tells every call which of its nodes are dead. */
  judge(isLost: (node: To) => boolean): void {
    for (const { call } of this.#calls.values())
      try {
        for (const lost of lostNodes(call, isLost))
          this.#push({ kind: 'own', callId: call.id, observed: { type: 'NodeLost', ...lost, recover: true } });
      } catch (error) {
        this.#fault(call.id, error as Error);
      }
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
    if (now - this.#writer.appendedAt > 1_000 && !(await this.#writer.check().catch(() => false))) return;
    const gone = keys.filter((key) => {
      const call = this.#call(key);
      return !call || isSettled(call);
    });
    this.#needs.link.auditAnswer(from, this.number, this.epoch, gone);
  }

  /**
   * Which edge holds a leg. No word, so that it is asked again, of a leg that none holds yet after its edge died, and of a
   * call that may be among the facts which nodes still hand over.
   */
  where(callId: string, leg: number, from: NodeRef): void {
    const call = this.#call(callId);
    const found = call?.legs[leg];
    const isKnown = found ? found.edge !== undefined || found.state === 'ended' : call || this.#state === 'ready';
    if (isKnown) this.#needs.link.there(from, callId, leg, found?.edge, this.epoch);
  }

  /** Finishes the append in flight, says nothing more, and gives the signs of life back. */
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
    for (const item of [...this.#inbox, ...this.#gate.close()]) this.#turnAway(item);
    this.#inbox = [];
  }

  #turnAway(item: Item): void {
    if (item.kind === 'fact') this.#needs.link.notOwner(item.from, this.number, '');
    else item.done?.(new CallError('not-owner', `partition ${this.number} moved`));
  }

  #push(item: Item, patient = false): void {
    if (this.#state === 'closed') return this.#turnAway(item);
    if (item.kind === 'fact' && this.#inbox.length + this.#gate.waiting() >= INBOX_MAX) {
      this.#overflowed = true; // the node keeps it and is asked again
      return;
    }
    if (!this.#gate.holds(item)) this.#take(item, patient);
  }

  /** The item is part of the next append. */
  #take(item: Item, patient = false): void {
    if (this.#state === 'closed') return this.#turnAway(item);
    this.#inbox.push(item);
    if (this.#appending) return;
    if (patient && this.#state === 'ready') this.#later ??= setTimeout(() => this.#begin(), PATIENT_MS);
    else this.#begin();
  }

  /** The next turn of the event loop takes whatever came in this one. */
  #begin(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#appending ??= this.#run();
  }

  async #run(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#inbox.length > 0 || this.#writer.isOwed) {
      if (this.#state === 'closed') break;
      const batch = this.#learner.learn(this.#inbox.splice(0, BATCH_FACTS_MAX), this.#writer.position);
      try {
        await this.#writer.append(batch);
      } catch (error) {
        this.#lose(error, batch.items);
        break;
      }
      this.#act(batch);
      if (this.#state === 'caught-up') this.#ready();
      if (this.#overflowed && this.#inbox.length === 0) this.#askForTheRest();
    }
    this.#appending = undefined;
    if (this.#state === 'caught-up') this.#ready();
  }

  /** Facts that didn't fit are still with their nodes, which send them again when the partition opens. */
  #askForTheRest(): void {
    this.#overflowed = false;
    this.#needs.logger.warn({ partition: this.number }, 'inbox was full; facts are asked for again');
    this.#needs.link.open(this.number, this.epoch);
  }

  #lose(error: unknown, items: Item[]): void {
    const { code, keys } = error instanceof LogError ? error : new LogError('unavailable', String(error));
    const reason = code === 'fenced' ? code : 'unavailable';
    this.#needs.refused.learn(keys, error as Error);
    this.#needs.logger.warn(
      { partition: this.number, epoch: this.epoch, reason: code, keys, err: error },
      'partition lost',
    );
    for (const item of items) this.#turnAway(item);
    if (this.#state === 'closed') return; // it was handed over meanwhile
    this.#close();
    this.#needs.lost(this.number, this.epoch, reason);
  }

  /** First written, then acknowledged and asked. */
  #act(learned: Learned): void {
    const { link } = this.#needs;
    for (const { to, key, n } of learned.acks.values()) link.ack(to, key, n, this.epoch);
    for (const answer of learned.answers) answer();
    for (const { entry, event } of learned.hints) {
      const { media, id, account } = entry.call;
      if (media) link.hint(media, id, encodeEvent(event), account);
    }
    for (const entry of learned.calls) {
      entry.durable = entry.call;
      if (this.#state === 'ready') this.#follow(entry.call);
      if (entry.settledAt === 0 && isSettled(entry.call)) this.#settle(entry);
    }
  }

  #settle(entry: memory.Remembered): void {
    entry.settledAt = this.#needs.now();
    for (const source of Object.keys(entry.call.seen)) {
      const slash = source.lastIndexOf('/');
      const node = { node: source.slice(0, slash), boot: source.slice(slash + 1) };
      this.#needs.link.settled(node, entry.call.id, this.epoch);
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
      if (entry.snapshotted) this.#writer.bury(id);
    }
    if (this.#writer.isOwed) this.#begin();
    if (!this.#appending && now - Math.max(this.#writer.appendedAt, this.#checkedAt) > CHECK_MS) void this.#check(now);
  }

  async #check(now: number): Promise<void> {
    this.#checkedAt = now;
    const isOurs = await this.#writer.check().catch(() => true); // a log that is away proves nothing
    if (!isOurs && this.#state === 'ready')
      this.#lose(new LogError('fenced', 'another engine took it while this one slept'), []);
  }
}
