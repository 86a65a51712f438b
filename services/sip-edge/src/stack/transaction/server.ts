// A server transaction as its user sees it: the request, where it came from, and `respond`.
// It refuses a second final answer and says so.

import { formatResponse, type HeaderLine, type ResponseOptions } from '../message/build.ts';
import type { SipRequest } from '../message/message.ts';
import type { Arrival, Peer } from '../transport/peer.ts';
import type { Clock } from './clock.ts';
import { type Rest, type Running, run } from './running.ts';
import { type ServerInviteInput, serverInvite, serverInviteTransition } from './server-invite.ts';
import { type ServerOtherInput, serverOther, serverOtherTransition } from './server-other.ts';

/** Who is told what happens to an INVITE after its arrival. All are optional; none may throw. */
export type InviteListener = {
  /** A CANCEL came in time; 487 was sent. */
  cancelled?(request: SipRequest): void;
  /** The caller acknowledged a refusal, or never did (`timeout`). */
  over?(outcome: 'confirmed' | 'timeout' | 'transport-failed'): void;
};

export type ServerTransaction = {
  readonly request: SipRequest;
  readonly arrival: Arrival;
  /** Our To tag and the lines that every answer carries, once they are known. */
  identify(tag: string, lines?: readonly HeaderLine[]): void;
  readonly tag: string | undefined;
  listener: InviteListener;
  /** False where a final answer was given before: nothing was sent. */
  respond(status: number, options?: ResponseOptions): boolean;
  /** Sends a composed 2xx, the first time or again, byte for byte (RFC 3261 13.3.1.4). False as with `respond`. */
  transmit(bytes: Buffer): boolean;
  /** Bytes of an answer, without sending it. */
  compose(status: number, options?: ResponseOptions): Buffer;
  /** Ends it without a word: another edge answers this request. */
  drop(): void;
};

/** What the layer does with a transaction beside what its user does. */
export type ServerHandle = {
  readonly user: ServerTransaction;
  /** The request came again, perhaps on another connection: answers go there from now on. */
  again(arrival: Arrival): void;
  ack(request: SipRequest): void;
  /** True where the CANCEL came before any final answer. */
  cancel(request: SipRequest): boolean;
};

export type ServerEvents = { ended(): void; ack(request: SipRequest, arrival: Arrival): void };

export function openServer(request: SipRequest, arrival: Arrival, clock: Clock, events: ServerEvents): ServerHandle {
  const reliable = arrival.peer.transport !== 'udp';
  let identity: { tag?: string; lines: readonly HeaderLine[] } = { lines: [] };
  let current = arrival.peer;
  const peer: Peer = { ...describe(current), send: (bytes, failed) => current.send(bytes, failed) };
  let late = false;
  let cancelled = false;

  function rest(output: Rest): void {
    if (output.type === 'too-late') late = true;
    else if (output.type === 'terminated') events.ended();
    else if (output.type === 'ack') events.ack(output.request, arrival);
    else if (output.type === 'cancelled') {
      cancelled = true;
      user.listener.cancelled?.(output.request);
    } else if (output.type === 'confirmed') user.listener.over?.('confirmed');
    else if (output.type === 'timeout' || output.type === 'transport-failed') user.listener.over?.(output.type);
  }

  const machine: Running<unknown, ServerInviteInput | ServerOtherInput> =
    request.method === 'INVITE'
      ? (run(
          { state: serverInvite(reliable), outputs: [] },
          serverInviteTransition,
          // A datagram's source may be forged, so a repetition moves nothing; a connection proves itself.
          reliable ? peer : arrival.peer,
          clock,
          rest,
        ) as never)
      : (run({ state: serverOther(reliable), outputs: [] }, serverOtherTransition, peer, clock, rest) as never);

  function compose(status: number, options: ResponseOptions = {}): Buffer {
    const lines = [...identity.lines, ...(options.lines ?? [])];
    const toTag = status > 100 ? (options.toTag ?? identity.tag) : undefined;
    return formatResponse(request, arrival.source, status, { ...options, lines, ...(toTag ? { toTag } : {}) });
  }

  function send(status: number, bytes: Buffer): boolean {
    late = false;
    machine.feed({ type: 'send', status, bytes });
    return !late;
  }

  const user: ServerTransaction = {
    request,
    arrival,
    listener: {},
    get tag() {
      return identity.tag;
    },
    identify(tag, lines = []) {
      identity = { tag, lines };
    },
    respond: (status, options) => send(status, compose(status, options)),
    transmit: (bytes) => send(200, bytes),
    compose,
    drop() {
      machine.abandon();
      events.ended();
    },
  };
  return {
    user,
    again(latest) {
      current = latest.peer;
      machine.feed(request.method === 'INVITE' ? { type: 'invite' } : { type: 'request' });
    },
    ack: (ack) => machine.feed({ type: 'ack', request: ack }),
    cancel(cancel) {
      machine.feed({ type: 'cancel', request: cancel, refusal: compose(487) });
      return cancelled;
    },
  };
}

function describe({ transport, address, port }: Peer): Omit<Peer, 'send'> {
  return { transport, address, port };
}
