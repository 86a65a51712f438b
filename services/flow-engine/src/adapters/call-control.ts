/**
 * CallControl over gRPC: reads are answered by any engine, orders go to the call's owner. It refuses
 * what names no call, and a document that doesn't parse before it reaches one.
 */
import { type ServerErrorResponse, type ServerUnaryCall, status } from '@grpc/grpc-js';
import type { EventLog } from '@opentact/event-log';
import {
  type CallV1,
  callIdOfOrder,
  type DirectoryV1,
  type EngineV1,
  type FactOf,
  type Observed,
} from '@opentact/proto';
import type { PublicCall } from '@opentact/proto/call-view';
import { partitionOf } from '@opentact/runtime';
import type { Parsed } from '../domain/language/parse.ts';
import type { DocumentReader } from '../engine/document-reader.ts';
import { CallError } from '../engine/learner.ts';
import type { Ownership } from '../engine/ownership.ts';
import { callIdOf, documentFault, keyOf, orderOf, Refused } from './control-request.ts';
import { askOwner, checkPair } from './look-up.ts';
import { callReader, objectOf, streamStory } from './read-calls.ts';
import { type StoryNeeds, storyReader } from './read-story.ts';

export type ControlNeeds = {
  log: EventLog;
  ownership: Ownership;
  /** Name of this engine. */
  self: string;
  documents: DocumentReader;
  /** Sends an order on to the engine that owns the call. */
  forward: {
    getCall(request: CallV1.GetCallRequest): Promise<CallV1.GetCallResponse>;
    hangup(request: CallV1.HangupRequest): Promise<void>;
    runDocument(request: CallV1.RunDocumentRequest): Promise<void>;
    placeCall(callId: string, request: CallV1.PlaceCallRequest): Promise<CallV1.PlaceCallResponse>;
    bridgeCalls(request: CallV1.BridgeCallsRequest): Promise<void>;
    lookUp(request: EngineV1.LookUpRequest): Promise<EngineV1.LookUpResponse>;
  };
  /** A call that is over, as api's call log has it; undefined where it has none such. */
  pastCall(callId: string): Promise<PublicCall | undefined>;
  stored: StoryNeeds['stored'];
  stage(request: DirectoryV1.StageRequest): Promise<DirectoryV1.StageResponse>;
  /** Staged documents are for loopback binds of the standalone only. */
  mayStage: boolean;
};

/** So long after its order any owner knows a call, also one that took the partition since: an ended call holds the mark
 * from which the journal is read for 32 s. */
const REMEMBERED_MS = 20_000;
const UNPAID: ReadonlySet<string> = new Set(['balance', 'spend-limit']);

/** Documents that are only looked at wait among themselves. */
const CHECKED = 'checked';

/** The service's implementation; add it with `CallV1.CallControlService`. */
export function callControl(needs: ControlNeeds): CallV1.CallControlServer {
  const { log } = needs;
  const { ownership, pastCall, stored, forward, self } = needs;
  const owned = (callId: string) => needs.ownership.partition(partitionOf(callId, log.partitions));
  const ownerKnows = askOwner(owned, forward.lookUp);
  const stories = storyReader({ log, stored, ownerKnows });
  const { read, stateOf, pastObject } = callReader({
    ...{ log, ownership, self, pastCall, stories },
    forward: forward.getCall,
  });

  /** What a document says, read off this thread. */
  async function parsed(xml: string, account: string): Promise<Parsed> {
    await needs.documents.read(xml, account);
    return needs.documents.parse(xml);
  }

  /** @throws Refused where no call could run it */
  async function checkDocument(xml: string, account: string): Promise<void> {
    const read = await parsed(xml, account);
    if (!read.ok) throw documentFault(read);
  }

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
      const known = error.code === 'not-found' && (await pastObject(callId)) !== undefined;
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
  ): Promise<CallV1.PlaceCallResponse> {
    const partition = owned(callId);
    if (partition) {
      const isRemembered = partition.knows(callId) || Date.now() - order.orderedAt < REMEMBERED_MS;
      const past = isRemembered ? undefined : await pastObject(callId);
      if (past) return { callId, call: past }; // it has been made, and is over
      try {
        const placed = await partition.place(callId, fact);
        return { callId, call: placed && objectOf(placed) };
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
      }
    }
    if (forwarded) throw new Refused(status.UNAVAILABLE, 'the owner of this call is changing; try again');
    return needs.forward.placeCall(callId, order);
  }

  return {
    getCall: unary(async ({ callId }, forwarded) => {
      const id = callIdOf(callId);
      const found = await read(id, forwarded);
      if (!found) throw new Refused(status.NOT_FOUND, `no call ${id}`);
      return found;
    }),
    streamCallEvents: (call) => {
      streamStory(stories, call).then(
        () => call.end(),
        (error) => call.emit('error', answerOf(error)),
      );
    },
    hangup: unary(async (request, forwarded) => {
      const callId = callIdOf(request.callId);
      if (request.unpaid !== undefined && !UNPAID.has(request.unpaid))
        throw new Refused(status.INVALID_ARGUMENT, 'unpaid: balance or spend-limit');
      const observed = {
        type: 'HangupOrdered',
        idempotencyKey: keyOf(request.idempotencyKey),
        ...(request.unpaid !== undefined && { unpaid: request.unpaid }),
      } as const;
      await order(callId, observed, forwarded, () => needs.forward.hangup(request));
      return {};
    }),
    runDocument: unary(async (request, forwarded) => {
      const callId = callIdOf(request.callId);
      await checkDocument(request.xml, owned(callId)?.accountOf(callId) ?? callId);
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
      if (order.xml !== '') await checkDocument(order.xml, fact.accountId);
      const callId = callIdOfOrder(fact.accountId, fact.idempotencyKey);
      return place(callId, fact, order, forwarded);
    }),
    bridgeCalls: unary(async (request, forwarded) => {
      const callId = callIdOf(request.callId);
      const peerCallId = callIdOf(request.peerCallId, 'peer_call_id');
      if (peerCallId === callId)
        throw new Refused(status.INVALID_ARGUMENT, 'peer_call_id: a call can’t be connected to itself');
      const idempotencyKey = keyOf(request.idempotencyKey);
      if (!forwarded) await checkPair({ ownerKnows, stateOf }, callId, peerCallId, idempotencyKey);
      const observed = { type: 'BridgeOrdered', idempotencyKey, peerCallId } as const;
      await order(callId, observed, forwarded, () => needs.forward.bridgeCalls({ ...request, idempotencyKey }));
      return {};
    }),
    checkDocument: unary(async ({ xml }) => {
      const read = await parsed(xml, CHECKED);
      if (read.ok) return { warnings: read.warnings };
      const { line, column, reason } = read;
      return { fault: { line, column, reason }, warnings: [] };
    }),
    stageDocument: unary(async ({ xml, autoAnswer }) => {
      if (!needs.mayStage) throw new Refused(status.PERMISSION_DENIED, 'documents are staged on loopback binds only');
      await checkDocument(xml, CHECKED);
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
