/**
 * CallControl over gRPC: reads are answered from the journal by any engine, orders go to the call's owner. It refuses
 * what names no call, and a document that doesn't parse before it reaches one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServerErrorResponse, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import type { EventLog } from '@opentact/event-log';
import {
  type CallEvent,
  type CallV1,
  callIdOfOrder,
  type DirectoryV1,
  type FactOf,
  type Observed,
  toMessage,
} from '@opentact/proto';
import { partitionOf } from '@opentact/runtime';
import { type Call, newCall } from '../domain/call.ts';
import { evolve } from '../domain/evolve.ts';
import { canBridge } from '../domain/peers.ts';
import { CallError } from '../engine/learner.ts';
import type { Ownership } from '../engine/ownership.ts';
import { eventOf, JOURNAL } from '../engine/story.ts';
import { parseDocument } from '../xml/document.ts';
import { callIdOf, checkDocument, keyOf, orderOf, Refused } from './control-request.ts';

export type ControlNeeds = {
  log: EventLog;
  ownership: Ownership;
  /** Sends an order on to the engine that owns the call. */
  forward: {
    hangup(request: CallV1.HangupRequest): Promise<void>;
    runDocument(request: CallV1.RunDocumentRequest): Promise<void>;
    placeCall(callId: string, request: CallV1.PlaceCallRequest): Promise<void>;
    bridgeCalls(request: CallV1.BridgeCallsRequest): Promise<void>;
  };
  stage(request: DirectoryV1.StageRequest): Promise<DirectoryV1.StageResponse>;
  /** Staged documents are for loopback binds of the standalone only. */
  mayStage: boolean;
};

/** How long a stream waits for a call that is not in the journal yet. */
const FOLLOW_UNKNOWN_MS = 2_000;

/** So long after its order any owner knows a call, also one that took the partition since: an ended call holds the mark
 * from which the journal is read for 32 s. */
const REMEMBERED_MS = 20_000;

/** Resolves when a client that reads slowly has caught up, or is gone. */
function drained(call: { once(event: 'drain', done: () => void): unknown }, gone: AbortSignal): Promise<void> {
  return new Promise((done) => {
    call.once('drain', done);
    gone.addEventListener('abort', () => done(), { once: true });
  });
}

/** The service's implementation; add it with `CallV1.CallControlService`. */
export function callControl(needs: ControlNeeds): CallV1.CallControlServer {
  const { log } = needs;
  const owned = (callId: string) => needs.ownership.partition(partitionOf(callId, log.partitions));

  async function order(
    callId: string,
    observed: Observed,
    forwarded: boolean,
    forward: () => Promise<void>,
  ): Promise<void> {
    const partition = owned(callId);
    try {
      if (partition) return await partition.observe(callId, observed);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      // A call that ended a while ago is forgotten by its owner, but its story tells that it was.
      const known = error.code === 'not-found' && (await stateOf(callId)) !== undefined;
      if (error.code === 'ended' || known) throw new Refused(status.FAILED_PRECONDITION, `call ${callId} has ended`);
      if (error.code === 'not-found') throw new Refused(status.NOT_FOUND, error.message);
    }
    if (forwarded) throw new Refused(status.UNAVAILABLE, 'the owner of this call is changing; try again');
    await forward();
  }

  async function place(
    callId: string,
    fact: FactOf<'CallOrdered'>,
    order: CallV1.PlaceCallRequest,
    forwarded: boolean,
  ): Promise<void> {
    const partition = owned(callId);
    if (partition) {
      const isRemembered = partition.knows(callId) || Date.now() - order.orderedAt < REMEMBERED_MS;
      if (!isRemembered && (await stateOf(callId))) return; // it has been made, and is over
      try {
        return await partition.place(callId, fact);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
      }
    }
    if (forwarded) throw new Refused(status.UNAVAILABLE, 'the owner of this call is changing; try again');
    await needs.forward.placeCall(callId, order);
  }

  /** Both must be there, answered and free, and of one account: what is another's is as good as unknown. */
  async function checkPair(callId: string, peerCallId: string, key: string): Promise<void> {
    const [call, peer] = await Promise.all([stateOf(callId), stateOf(peerCallId)]);
    if (!call) throw new Refused(status.NOT_FOUND, `no call ${callId}`);
    if (!peer || peer.account !== call.account) throw new Refused(status.NOT_FOUND, `no call ${peerCallId}`);
    if (call.orders.includes(key)) return;
    for (const one of [call, peer]) {
      if (one.state !== 'live') throw new Refused(status.FAILED_PRECONDITION, `call ${one.id} has ended`);
      if (one.peer) throw new Refused(status.FAILED_PRECONDITION, `call ${one.id} is connected to another already`);
      if (!canBridge(one))
        throw new Refused(status.FAILED_PRECONDITION, `call ${one.id} is not answered, or waits for a document`);
    }
  }

  async function stateOf(callId: string): Promise<Call | undefined> {
    let call: Call | undefined;
    for await (const record of log.readKey(JOURNAL, callId)) {
      const event = eventOf(record);
      if (event) call = evolve(call ?? newCall(callId), event);
    }
    return call;
  }

  async function stream(
    call: ServerWritableStream<CallV1.StreamCallEventsRequest, CallV1.StreamCallEventsResponse>,
  ): Promise<void> {
    const callId = callIdOf(call.request.callId);
    const from = Math.max(1, call.request.fromSeq);
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    let last = 0;
    let position = 0;
    let over = false;
    const pass = async (event: CallEvent) => {
      // What follows an end are releases: a follower's stream ends at CallEnded, whether it was live or past.
      if (event.seq <= last || (over && call.request.follow)) return;
      last = event.seq;
      over ||= event.type === 'CallEnded';
      if (event.seq >= from && !call.write({ event: toMessage(event) })) await drained(call, gone.signal);
    };
    // A caller that follows may be a moment ahead of the journal.
    for (const until = Date.now() + (call.request.follow ? FOLLOW_UNKNOWN_MS : 0); ; await sleep(50)) {
      for await (const record of log.readKey(JOURNAL, callId, position)) {
        const event = eventOf(record);
        position = record.position;
        if (event) await pass(event);
      }
      if (last > 0) break;
      if (Date.now() >= until) throw new Refused(status.NOT_FOUND, `no call ${callId}`);
    }
    if (!call.request.follow || over) return;
    for await (const record of log.follow(JOURNAL, partitionOf(callId, log.partitions), position, gone.signal)) {
      if (record.key !== callId) continue;
      const event = eventOf(record);
      if (event) await pass(event);
      if (over) return;
    }
  }

  return {
    getCall: unary(async ({ callId }) => {
      const id = callIdOf(callId);
      const call = await stateOf(id); // from the journal: an owner's memory is ahead of what is durable
      if (!call) throw new Refused(status.NOT_FOUND, `no call ${id}`);
      return viewOf(call);
    }),
    streamCallEvents: (call) => {
      stream(call).then(
        () => call.end(),
        (error) => call.emit('error', answerOf(error)),
      );
    },
    hangup: unary(async (request, forwarded) => {
      const callId = callIdOf(request.callId);
      const observed = { type: 'HangupOrdered', idempotencyKey: keyOf(request.idempotencyKey) } as const;
      await order(callId, observed, forwarded, () => needs.forward.hangup(request));
      return {};
    }),
    runDocument: unary(async (request, forwarded) => {
      const callId = callIdOf(request.callId);
      checkDocument(request.xml);
      const observed = {
        type: 'DocumentOrdered',
        idempotencyKey: keyOf(request.idempotencyKey),
        xml: request.xml,
      } as const;
      await order(callId, observed, forwarded, () => needs.forward.runDocument(request));
      return {};
    }),
    placeCall: unary(async (request, forwarded) => {
      // A key of our own is new for certain; the engine that it is sent on to must use the same.
      const isNew = request.idempotencyKey === '';
      const order = {
        ...request,
        idempotencyKey: keyOf(request.idempotencyKey),
        orderedAt: isNew ? Date.now() : request.orderedAt,
      };
      const fact = orderOf(order);
      const callId = callIdOfOrder(fact.accountId, fact.idempotencyKey);
      await place(callId, fact, order, forwarded);
      return { callId };
    }),
    bridgeCalls: unary(async (request, forwarded) => {
      const callId = callIdOf(request.callId);
      const peerCallId = callIdOf(request.peerCallId, 'peer_call_id');
      if (peerCallId === callId)
        throw new Refused(status.INVALID_ARGUMENT, 'peer_call_id: a call can’t be connected to itself');
      const idempotencyKey = keyOf(request.idempotencyKey);
      if (!forwarded) await checkPair(callId, peerCallId, idempotencyKey);
      const observed = { type: 'BridgeOrdered', idempotencyKey, peerCallId } as const;
      await order(callId, observed, forwarded, () => needs.forward.bridgeCalls({ ...request, idempotencyKey }));
      return {};
    }),
    checkDocument: unary(async ({ xml }) => {
      const parsed = parseDocument(xml);
      if (parsed.ok) return { warnings: parsed.warnings };
      const { line, column, reason } = parsed;
      return { fault: { line, column, reason }, warnings: [] };
    }),
    stageDocument: unary(async ({ xml, autoAnswer }) => {
      if (!needs.mayStage) throw new Refused(status.PERMISSION_DENIED, 'documents are staged on loopback binds only');
      checkDocument(xml);
      return needs.stage({ xml, autoAnswer });
    }),
  };
}

/** Marks an order that an engine sent on, so that it is not sent on again. */
export const FORWARDED = 'x-opentact-forwarded';

function unary<Q, A>(run: (request: Q, forwarded: boolean) => Promise<A>) {
  return (call: ServerUnaryCall<Q, A>, done: (error: ServerErrorResponse | null, answer?: A) => void): void => {
    run(call.request, call.metadata.get(FORWARDED).length > 0).then(
      (answer) => done(null, answer),
      (error) => done(answerOf(error)),
    );
  };
}

function answerOf(error: unknown): ServerErrorResponse {
  const known = error as { code?: unknown; details?: string; message: string };
  const code =
    typeof known.code === 'number' ? known.code : known.code === 'unavailable' ? status.UNAVAILABLE : status.INTERNAL;
  // What broke inside stays in our log; a client is told no more than that it did.
  const details =
    code === status.INTERNAL ? 'an engine failed at this; its log says why' : (known.details ?? known.message);
  return Object.assign(new Error(details), { code, details });
}

function viewOf(call: Call): CallV1.GetCallResponse {
  const answeredAt = call.legs[0]?.answeredAt ?? 0;
  const state = call.ended
    ? Object.keys(call.outstanding).length > 0
      ? 'hangup'
      : 'destroyed'
    : answeredAt
      ? 'live'
      : call.legs[0]?.ringing
        ? 'ringing'
        : 'init';
  return {
    callId: call.id,
    state,
    from: call.from,
    to: call.to,
    createdAt: call.arrivedAt,
    answeredAt,
    endedAt: call.ended?.at ?? 0,
    owner: call.ended?.owner ?? '',
    reason: call.ended?.reason ?? '',
    seq: call.seq,
    verb: call.flow.running?.path ?? '',
    accountId: call.account,
    appId: call.app.appId,
    direction: call.outbound ? 'out' : 'in',
  };
}
