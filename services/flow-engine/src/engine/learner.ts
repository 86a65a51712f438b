/**
 * What follows from a batch of facts, in memory only: which events are to be written, who is acknowledged, what is told
 * to nodes afterwards. It writes nothing and asks nothing.
 */
import type { NewRecord } from '@opentact/event-log';
import type { EngineLinkServer, FactIn, NodeRef } from '@opentact/link';
import { type CallEvent, decodeEvent, type Observed, type Reported, type To } from '@opentact/proto';
import { isReportable } from '@opentact/proto/observations';
import type { Logger } from '@opentact/runtime';
import { admission, type Call, newCall } from '../domain/call.ts';
import { lostNodes } from '../domain/nodes.ts';
import { wasHeard } from '../domain/peer-words.ts';
import type { Step } from '../domain/step.ts';
import * as memory from './memory.ts';
import { recordOf } from './story.ts';

/** A fact of a node, already read, or an observation of the engine's own. */
export type Item =
  | { kind: 'fact'; fact: FactIn; from: NodeRef; observed: Reported }
  | { kind: 'own'; callId: string; observed: Observed; request?: number; done?: (error?: Error) => void };

/** What a batch came to. `answers` are given once it is durable. */
export type Learned = {
  items: Item[];
  records: NewRecord[];
  calls: Set<memory.Remembered>;
  acks: Map<string, { to: NodeRef; key: string; n: number }>;
  hints: Array<{ entry: memory.Remembered; event: CallEvent }>;
  answers: Array<() => void>;
};

/** A command that the call can't take. */
export class CallError extends Error {
  readonly code: 'not-found' | 'ended' | 'not-owner';
  constructor(code: CallError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export type LearnerNeeds = {
  link: Pick<EngineLinkServer, 'unknown' | 'known' | 'gap'>;
  step: Step;
  now(): number;
  logger: Logger;
  pick(kind: string, callId: string, except: To[]): To | undefined;
};

/** The fact of a node as the core takes it; one that can't be read faults its call. */
export function readFact(fact: FactIn, logger: Logger): Reported {
  const place = { source: fact.source, boot: fact.boot, n: fact.n, observedAt: fact.observedAt };
  try {
    const event = decodeEvent(fact.payload);
    if (!isReportable(event)) throw new Error(`${event.type} is nothing that a node reports`);
    const { callId: _, seq: __, at: ___, to: ____, ...body } = event;
    return { ...body, from: place } as Reported;
  } catch (error) {
    logger.error({ callId: fact.key, source: fact.source, err: error }, 'unreadable fact');
    return { type: 'CallFaulted', reason: 'unreadable fact', from: place };
  }
}

/** Learns batches into the calls of one partition. `position` is the last durable one, `epoch` the partition's. */
export function createLearner(needs: LearnerNeeds, calls: Map<string, memory.Remembered>, epoch: number) {
  const { link, logger } = needs;

  function learnOwn(
    { callId, observed, request, done }: Extract<Item, { kind: 'own' }>,
    learned: Learned,
    position: number,
  ): void {
    const isFirst = observed.type === 'CallOrdered' && !calls.has(callId);
    const entry = isFirst ? memory.remember(newCall(callId)) : calls.get(callId);
    if (isFirst) calls.set(callId, entry!);
    const error = entry
      ? refusalOf(entry.call, observed, done !== undefined)
      : new CallError('not-found', `no call ${callId}`);
    const isOver = request !== undefined && !entry?.call.outstanding[request];
    if (entry && !error && !isOver && isWanted(entry.call, observed)) step(entry, observed, learned, position);
    if (done) learned.answers.push(() => done(error));
  }

  function learnFact(item: Extract<Item, { kind: 'fact' }>, learned: Learned, position: number): void {
    const { fact, from, observed } = item;
    let entry = calls.get(fact.key);
    if (!entry) {
      if (observed.type !== 'CallArrived') return link.unknown(from, fact.key, epoch);
      entry = memory.remember(newCall(fact.key));
    } else if (observed.type === 'CallArrived' && admission(entry.call, fact) !== 'duplicate') {
      // Nobody's, while the edge that held it is lost and no other was asked yet: it will be adopted.
      const edge = entry.call.legs[0]?.edge ?? entry.call.edge ?? { node: '', boot: '' };
      const payload = new TextEncoder().encode(JSON.stringify(entry.call.origin));
      link.known(from, fact.key, { ...edge, payload });
      // From an edge that spoke of this call before, its place must be learned too, or what follows would be a gap.
      if (entry.call.seen[`${fact.source}/${fact.boot}`] === undefined) return;
    }
    const admitted = admission(entry.call, fact);
    if (admitted === 'gap')
      return link.gap(from, fact.key, (entry.call.seen[`${fact.source}/${fact.boot}`] ?? 0) + 1, epoch);
    // What it repeats was learned by an append that is durable, or is part of this one.
    const place = `${fact.key}\n${fact.source}`;
    learned.acks.set(place, { to: from, key: fact.key, n: Math.max(fact.n, learned.acks.get(place)?.n ?? 0) });
    if (admitted === 'duplicate') return;
    calls.set(fact.key, entry);
    step(entry, observed, learned, position);
  }

  /** The state of a call is not what it should be: it alone is given up, and whoever holds something for it lets go. */
  function drop(item: Item, error: Error): void {
    const callId = item.kind === 'fact' ? item.fact.key : item.callId;
    logger.fatal({ callId, err: error }, 'call dropped');
    calls.delete(callId);
    if (item.kind === 'fact') link.unknown(item.from, callId, epoch);
    else item.done?.(new CallError('not-found', `call ${callId} can't be gone on with`));
  }

  /** Steps a call, answers its look-ups of nodes at once, and faults it alone if the core throws. */
  function step(entry: memory.Remembered, observed: Reported, learned: Learned, position: number): void {
    const at = needs.now();
    const before = entry.call;
    let taken: { events: CallEvent[]; records: NewRecord[] };
    try {
      taken = take(entry, observed, at);
    } catch (error) {
      logger.error({ callId: before.id, err: error }, 'call faulted');
      entry.call = before;
      try {
        taken = take(entry, faultOf(error as Error, observed), at);
      } catch (again) {
        logger.fatal({ callId: before.id, err: again }, 'call dropped');
        calls.delete(before.id);
        return;
      }
    }
    for (const event of taken.events) if (event.type === 'DocumentAccepted') learned.hints.push({ entry, event });
    const bytes = taken.records.reduce((sum, r) => sum + r.bytes.length, 0);
    memory.note(entry, position, at, taken.records.length, bytes);
    memory.spend(entry, at, taken.records.length, bytes);
    learned.records.push(...taken.records);
    learned.calls.add(entry);
    const exceeded = memory.overBudget(entry);
    if (!exceeded) return;
    logger.error({ callId: before.id, events: entry.call.seq, bytes: entry.written, exceeded }, 'call faulted');
    step(entry, faultOf(new Error(exceeded)), learned, position);
  }

  function take(entry: memory.Remembered, fact: Reported, at: number): { events: CallEvent[]; records: NewRecord[] } {
    const events: CallEvent[] = [];
    const learn = (next: Reported): void => {
      const stepped = needs.step(entry.call, next, at);
      entry.call = stepped.call;
      events.push(...stepped.events);
      // Nothing was acted on yet, so a look-up may be answered before it is durable.
      for (const event of stepped.events) {
        const found = event.type === 'NodeRequested' ? needs.pick(event.kind, event.callId, event.except) : undefined;
        if (found && event.type === 'NodeRequested')
          learn({ type: 'NodeAssigned', requestId: event.seq, kind: event.kind, ...found });
      }
    };
    learn(fact);
    return { events, records: events.map(recordOf) };
  }

  return {
    learn(items: Item[], position: number): Learned {
      const learned: Learned = { items, records: [], calls: new Set(), acks: new Map(), hints: [], answers: [] };
      for (const item of items) {
        try {
          if (item.kind === 'fact') learnFact(item, learned, position);
          else learnOwn(item, learned, position);
        } catch (error) {
          drop(item, error as Error);
        }
      }
      return learned;
    },
  };
}

/** The fault that stands in the story instead of a fact that the core can't take; its place is learned all the same. */
export function faultOf(error: Error, observed?: Reported): Reported {
  const from = observed?.from && { from: observed.from };
  return { type: 'CallFaulted', reason: error.message.slice(0, 200), ...from };
}

/** Why a command can't be taken; undefined where it can. One that was taken before is taken as done. */
export function refusalOf(call: Call, observed: Observed, isCommand: boolean): CallError | undefined {
  if (
    !isCommand ||
    observed.type === 'CallOrdered' ||
    ('idempotencyKey' in observed && call.orders.includes(observed.idempotencyKey as string))
  )
    return undefined;
  const over = call.state !== 'live' || (call.ending !== undefined && observed.type === 'DocumentOrdered');
  return over ? new CallError('ended', `call ${call.id} has ended`) : undefined;
}

/** The engine's own observations are dropped where their question is no longer open. */
function isWanted(call: Call, observed: Observed): boolean {
  if (observed.type === 'TimerFired') return call.timers[observed.timerId] !== undefined;
  if (observed.type === 'NodeLost')
    return lostNodes(call, (at) => at.node === observed.node && at.boot === observed.boot).length > 0;
  if (observed.type === 'PeerJoined' || observed.type === 'PeerLeft') {
    if (wasHeard(call, observed)) return false;
    if (!('requestId' in observed) || observed.requestId === 0) return call.state === 'live';
  }
  if (observed.type === 'CallOrdered') return call.state === 'new';
  if ('idempotencyKey' in observed)
    return call.state === 'live' && !call.orders.includes(observed.idempotencyKey as string);
  return !('requestId' in observed) || call.outstanding[observed.requestId] !== undefined;
}
