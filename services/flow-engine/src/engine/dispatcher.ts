/**
 * Asks for what is outstanding, again until it is taken on, and says `…Failed` when the last try went unanswered.
 * It asks only what is durable, and it decides nothing else.
 */
import type { EngineLinkServer } from '@opentact/link';
import { type CallEvent, type Decided, encodeEvent, type FactOf, type Observed, type To } from '@opentact/proto';
import { deadlineOf, failureOf, type RequestEvent } from '@opentact/proto/requests';
import type { Call } from '../domain/call.ts';
import { isHeldBack } from '../domain/recovery.ts';

/** Not taken on by then: ask again; five times at most. */
const ASK_AGAIN_MS = 1_000;
const TRIES_MAX = 5;
/** How long a look-up of a node may wait for one to appear. */
const LOOK_UP_MS: Record<string, number> = { media: 2_000, notifier: 10_000 };
/** … and where another died: as long as starting one again may take. */
const RECOVER_MS = 10_000;
/** What is said to another call. */
export type PeerWord = CallEvent<FactOf<'PeerJoinRequested' | 'PeerLeaveRequested'>>;

const isPeerWord = (request: Request): request is PeerWord =>
  request.type === 'PeerJoinRequested' || request.type === 'PeerLeaveRequested';

type Request = CallEvent<Decided>;
type Tracked = {
  request: Request;
  account: string;
  payload: Uint8Array;
  askedAt: number;
  since: number;
  tries: number;
  takenOn: boolean;
  givenUp?: true;
};

export type Dispatcher = {
  /** Follows the requests of a call as they stand after an append; new ones are asked. */
  follow(call: Call): void;
  /** Asks everything outstanding at this node again: its stream is new. */
  askAgain(node: { name: string; boot: string }): void;
  takenOn(callId: string, seq: number): void;
  refused(callId: string, seq: number, reason: string): void;
  /** Looks after deadlines; called a few times a second. */
  sweep(now: number): void;
  forget(callId: string): void;
};

export type DispatcherNeeds = {
  link: Pick<EngineLinkServer, 'ask'>;
  epoch: number;
  now(): number;
  /** A living node of a kind for a call; undefined where there is none. */
  pick(kind: string, callId: string, except: To[]): To | undefined;
  /** Is this boot of the node over for certain? One that is merely silent isn't. */
  isDead(node: To): boolean;
  /** Tells another call something; 'gone': it is over, or there is none such. Rejects where its owner can't be had. */
  tell(request: PeerWord): Promise<'told' | 'gone'>;
  /** Hands an observed fact of the engine's own to the call; dropped where that request is no longer outstanding. */
  observe(callId: string, fact: Observed, request?: number): void;
};

export function createDispatcher(needs: DispatcherNeeds): Dispatcher {
  const calls = new Map<string, Map<number, Tracked>>();

  function ask(tracked: Tracked): void {
    const { request, payload, account } = tracked;
    tracked.askedAt = needs.now();
    tracked.tries++;
    if (request.type === 'NodeRequested') lookUp(tracked);
    if (isPeerWord(request)) return tell(tracked, request);
    if (!request.to) return;
    const { node, boot } = request.to;
    needs.link.ask({ node, boot }, { key: request.callId, seq: request.seq, epoch: needs.epoch, payload, account });
  }

  /** What another call's owner has learned is settled; one that can't be had is told again. */
  function tell(tracked: Tracked, request: PeerWord): void {
    needs.tell(request).then(
      (said) => {
        tracked.takenOn = true;
        const { seq: requestId, callId, peerCallId } = request;
        const isRefused = said === 'gone' && request.type === 'PeerJoinRequested';
        const fact: Observed = isRefused
          ? { type: 'PeerLeft', peerCallId, peerSeq: 0, reason: 'gone', requestId }
          : { type: 'PeerTold', requestId };
        needs.observe(callId, fact, requestId);
      },
      () => {},
    );
  }

  function lookUp({ request, since }: Tracked): void {
    if (request.type !== 'NodeRequested') return;
    const found = needs.pick(request.kind, request.callId, request.except);
    const { kind, seq: requestId } = request;
    if (found) needs.observe(request.callId, { type: 'NodeAssigned', requestId, kind, ...found });
    else if (needs.now() - since >= (request.except.length > 0 ? RECOVER_MS : (LOOK_UP_MS[kind] ?? 0)))
      needs.observe(request.callId, { type: 'NodeUnavailable', requestId, kind });
  }

  function giveUp(tracked: Tracked, reason: string): void {
    tracked.givenUp = true;
    needs.observe(tracked.request.callId, failureOf(tracked.request as RequestEvent, reason), tracked.request.seq);
  }

  function attend(tracked: Tracked, now: number): void {
    const { request } = tracked;
    if (tracked.givenUp) return;
    // What a dead node still held is gone with it; one that only fell silent is asked as long as it takes.
    if (request.type === 'ReleaseRequested' && request.to && needs.isDead(request.to)) return giveUp(tracked, 'lost');
    const waited = now - tracked.askedAt;
    if (request.type === 'NodeRequested') lookUp(tracked);
    else if (!tracked.takenOn) {
      if (waited < ASK_AGAIN_MS) return;
      if (tracked.tries < TRIES_MAX || request.type === 'ReleaseRequested') ask(tracked);
      else giveUp(tracked, 'unanswered');
    } else if (waited > deadlineOf(request as RequestEvent)) giveUp(tracked, 'unanswered');
  }

  return {
    follow(call) {
      const known = calls.get(call.id);
      // What is asked of another node now is a new question there.
      for (const [seq, { request }] of known ?? []) if (!isSameAsk(call.outstanding[seq], request)) known!.delete(seq);
      const tracked = known ?? new Map<number, Tracked>();
      for (const request of Object.values(call.outstanding)) {
        if (tracked.has(request.seq) || isHeldBack(call, request)) continue;
        const now = needs.now();
        const payload = encodeEvent(request);
        const { account } = call;
        const added = { request, account, payload, askedAt: now, since: now, tries: 0, takenOn: false };
        tracked.set(request.seq, added);
        ask(added);
      }
      if (tracked.size === 0) calls.delete(call.id);
      else calls.set(call.id, tracked);
    },
    askAgain(node) {
      for (const tracked of calls.values())
        for (const one of tracked.values())
          if (one.request.to?.node === node.name && one.request.to.boot === node.boot) ask(one);
    },
    takenOn(callId, seq) {
      const tracked = calls.get(callId)?.get(seq);
      if (tracked) tracked.takenOn = true;
    },
    refused(callId, seq, reason) {
      const tracked = calls.get(callId)?.get(seq);
      if (tracked && reason !== 'stale') giveUp(tracked, reason);
    },
    sweep(now) {
      for (const tracked of calls.values()) for (const one of tracked.values()) attend(one, now);
    },
    forget: (callId) => void calls.delete(callId),
  };
}

const isSameAsk = (now: Request | undefined, before: Request) =>
  now !== undefined && now.to?.node === before.to?.node && now.to?.boot === before.to?.boot;
