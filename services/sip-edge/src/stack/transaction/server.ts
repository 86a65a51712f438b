// A server transaction as its user sees it: the request, where it came from, and `respond`.
// It refuses a second final answer and says so.

import { formatResponse, type HeaderLine, type ResponseOptions } from '../message/build.ts';
import type { SipRequest } from '../message/message.ts';
import type { Arrival, Peer } from '../transport/peer.ts';
import type { Clock } from './clock.ts';
import { type Rest, type Running, run } from './running.ts';
import { type ServerInviteInput, serverInvite, serverInviteTransition } from './server-invite.ts';
import { type ServerOtherInput, serverOther, serverOtherTransition } from './server-other.ts';
import { respondStateless } from './stateless.ts';

/** Who is told what happens to an INVITE after its arrival. All are optional; none may throw. */
export type InviteListener = {
  /** A CANCEL came in time; 487 was sent. */
  cancelled?(request: SipRequest): void;
  /** The caller acknowledged a refusal, or never did (`timeout`). */
  over?(outcome: 'confirmed' | 'timeout' | 'transport-failed'): void;
  /** Nothing can be answered any more. */
  ended?(): void;
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
  /** Answers a stranger and keeps nothing: no repetition, no waiting for an ACK (RFC 3261 8.2.7). */
  reject(status: number, options?: ResponseOptions): void;
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

/** @param repeats how often a refusal may be repeated over UDP by itself. */
export function openServer(
  request: SipRequest,
  arrival: Arrival,
  clock: Clock,
  events: ServerEvents,
  repeats = Number.POSITIVE_INFINITY,
): ServerHandle {
  let sent = 0;
  const answers = answersOf(request, arrival);
  let current = arrival.peer;
  const peer: Peer = { ...describe(current), send: (bytes, failed) => current.send(bytes, failed) };
  const heard = { late: false, cancelled: false };
  const machine = machineOf(request, arrival, peer, clock, repeats, (output) =>
    tell(output, user.listener, events, arrival, heard),
  );

  function send(status: number, bytes: Buffer): boolean {
    heard.late = false;
    sent += bytes.length;
    machine.feed({ type: 'send', status, bytes });
    return !heard.late;
  }

  const user: ServerTransaction = {
    request,
    arrival,
    listener: {},
    get tag() {
      return answers.tag;
    },
    identify: answers.identify,
    compose: answers.compose,
    respond: (status, options) => send(status, answers.compose(status, options)),
    transmit: (bytes) => send(200, bytes),
    reject(status, options = {}) {
      const whole = answers.whole(options);
      user.drop();
      const from = { peer: current, source: arrival.source };
      respondStateless(request, from, status, whole, request.raw.length, sent);
    },
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
      machine.feed({ type: 'cancel', request: cancel, refusal: answers.compose(487) });
      return heard.cancelled;
    },
  };
}

/** Answers to one request, with the tag and the lines that each of them carries. */
function answersOf(request: SipRequest, arrival: Arrival) {
  let tag: string | undefined;
  let lines: readonly HeaderLine[] = [];
  const whole = (options: ResponseOptions): ResponseOptions => {
    const toTag = options.toTag ?? tag;
    return { ...options, lines: [...lines, ...(options.lines ?? [])], ...(toTag ? { toTag } : {}) };
  };
  return {
    get tag() {
      return tag;
    },
    identify(newTag: string, newLines: readonly HeaderLine[] = []): void {
      tag = newTag;
      lines = newLines;
    },
    whole,
    compose(status: number, options: ResponseOptions = {}): Buffer {
      const { toTag, ...rest } = whole(options);
      return formatResponse(request, arrival.source, status, toTag && status > 100 ? { ...rest, toTag } : rest);
    },
  };
}

type Machine = Running<unknown, ServerInviteInput | ServerOtherInput>;

function machineOf(
  request: SipRequest,
  arrival: Arrival,
  peer: Peer,
  clock: Clock,
  repeats: number,
  rest: (output: Rest) => void,
): Machine {
  const reliable = arrival.peer.transport !== 'udp';
  if (request.method !== 'INVITE')
    return run({ state: serverOther(reliable), outputs: [] }, serverOtherTransition, peer, clock, rest) as never;
  const first = { state: serverInvite(reliable, repeats), outputs: [] };
  // A datagram's source may be forged, so a repetition moves nothing; a connection proves itself.
  return run(first, serverInviteTransition, reliable ? peer : arrival.peer, clock, rest) as never;
}

/** `heard`: what whoever fed the machine wants to know at once. */
function tell(
  output: Rest,
  listener: InviteListener,
  events: ServerEvents,
  arrival: Arrival,
  heard: { late: boolean; cancelled: boolean },
): void {
  switch (output.type) {
    case 'too-late':
      heard.late = true;
      return;
    case 'terminated':
      events.ended();
      listener.ended?.();
      return;
    case 'ack':
      return events.ack(output.request, arrival);
    case 'cancelled':
      heard.cancelled = true;
      return listener.cancelled?.(output.request);
    case 'confirmed':
    case 'timeout':
    case 'transport-failed':
      return listener.over?.(output.type);
  }
}

function describe({ transport, address, port }: Peer): Omit<Peer, 'send'> {
  return { transport, address, port };
}
