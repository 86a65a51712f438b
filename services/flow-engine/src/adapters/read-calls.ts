/**
 * Calls as customers see them, and their stories, read for CallControl: from the owner's memory, from the call log of past
 * calls, or from their stories.
 */
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import type { EventLog } from '@opentact/event-log';
import { type CallV1, toMessage } from '@opentact/proto';
import { type CallObject, isDestroyed, legOf, type PublicCall, wholeCallObject } from '@opentact/proto/call-view';
import { partitionOf } from '@opentact/runtime';
import { type Call, newCall } from '../domain/call.ts';
import { evolve } from '../domain/evolve.ts';
import type { Ownership } from '../engine/ownership.ts';
import { callIdOf, Refused } from './control-request.ts';
import type { Owner, StoryReader } from './read-story.ts';

export const codeOf = (error: { code?: unknown }): number =>
  typeof error.code === 'number' ? error.code : status.UNKNOWN;

export type CallReaderNeeds = {
  log: Pick<EventLog, 'partitions'>;
  ownership: Ownership;
  stories: StoryReader;
  /** Name of this engine. */
  self: string;
  /** Asks the engine that owns the call. */
  forward(request: CallV1.GetCallRequest): Promise<CallV1.GetCallResponse>;
  /** A call that is over, as api's call log has it; undefined where it has none such. */
  pastCall(callId: string): Promise<PublicCall | undefined>;
};

export function callReader(needs: CallReaderNeeds) {
  const { log } = needs;
  /**
   * A call as the log has it: from its owner's memory, or from the call log where it is over and forgotten there. Where no
   * owner can be asked, or the call log doesn't know its end, its story is folded, which takes longer.
   */
  async function read(callId: string, forwarded: boolean): Promise<CallV1.GetCallResponse | undefined> {
    const partition = needs.ownership.partition(partitionOf(callId, log.partitions));
    const remembered = partition?.remembered(callId)?.durable;
    if (remembered) return answerFor(viewOf(remembered), remembered.state === 'live' ? needs.self : '');
    if (!partition && forwarded) throw new Refused(status.UNAVAILABLE, 'the owner of this call is changing; try again');
    if (forwarded) return undefined;
    const asked = partition ? undefined : await needs.forward({ callId }).catch(codeOf);
    if (asked !== undefined && typeof asked !== 'number') return asked;
    if (asked !== undefined && asked !== status.NOT_FOUND) {
      const call = await stateOf(callId, 'away');
      return call && answerFor(viewOf(call));
    }
    const past = await needs.pastCall(callId);
    if (past && isDestroyed(past)) return answerFor(past);
    // The log of calls may be behind: the story is not.
    const call = await stateOf(callId, 'forgotten');
    return call && answerFor(viewOf(call));
  }

  /** The object of a call that nobody remembers. What the log of calls doesn't know yet, the story does: a key acts once. */
  async function pastObject(callId: string): Promise<CallObject | Record<string, never> | undefined> {
    const past = await needs.pastCall(callId).catch(() => undefined);
    if (past && isDestroyed(past)) return wholeCallObject(past);
    const call = await stateOf(callId, 'forgotten');
    return call && (objectOf(call) ?? {});
  }

  /** @param owner what it answered, where it was asked already */
  async function stateOf(callId: string, owner?: Owner): Promise<Call | undefined> {
    let call: Call | undefined;
    for await (const event of needs.stories.read(callId, owner)) call = evolve(call ?? newCall(callId), event);
    return call;
  }

  return { read, stateOf, pastObject };
}

/** Resolves when a client that reads slowly has caught up, or is gone. */
function drained(call: { once(event: 'drain', done: () => void): unknown }, gone: AbortSignal): Promise<void> {
  return new Promise((done) => {
    call.once('drain', done);
    gone.addEventListener('abort', () => done(), { once: true });
  });
}

/**
 * The story of a call, from `from_seq` on; with `follow` it goes on until the call has ended.
 * @throws Refused where there is no such call
 */
export async function streamStory(
  stories: StoryReader,
  call: ServerWritableStream<CallV1.StreamCallEventsRequest, CallV1.StreamCallEventsResponse>,
): Promise<void> {
  const callId = callIdOf(call.request.callId);
  const { fromSeq, follow } = call.request;
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort());
  let isThere = false;
  for await (const event of follow ? stories.follow(callId, gone.signal) : stories.read(callId)) {
    isThere = true;
    if (gone.signal.aborted) return;
    if (event.seq >= fromSeq && !call.write({ event: toMessage(event) })) await drained(call, gone.signal);
  }
  if (!isThere) throw new Refused(status.NOT_FOUND, `no call ${callId}`);
}

/** What `GetCall` answers, told from the call as customers see it. */
function answerFor(view: PublicCall, engine = ''): CallV1.GetCallResponse {
  const caller = legOf(view, 0)!;
  const object = wholeCallObject(view);
  return {
    callId: view.callId,
    state: caller.state,
    from: caller.from,
    to: caller.to,
    createdAt: caller.initOn,
    answeredAt: caller.answerOn ?? 0,
    endedAt: caller.hangupOn ?? 0,
    owner: view.ended?.owner ?? '',
    reason: view.ended?.reason ?? '',
    seq: view.seq,
    verb: object.verb ?? '',
    accountId: view.account,
    appId: view.app.appId,
    direction: caller.outgoing ? 'out' : 'in',
    call: object,
    engine,
  };
}

/** The call object, as on every channel. */
export const objectOf = ({ view }: Call) => view && wholeCallObject(view);

function viewOf(call: Call): PublicCall {
  if (!call.view) throw new Refused(status.DATA_LOSS, `the story of call ${call.id} can’t be read`);
  return call.view;
}
