// One edge: its sockets, its transactions and its calls, between the phones and the engines.
// It knows no flow; it refuses new calls it can't carry, and nothing else.

import { callIdOfInvite } from '@opentact/proto';
import { formatResponse, type HeaderLine } from '../stack/message/build.ts';
import type { Fault, SipRequest } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import { type Clock, systemClock } from '../stack/transaction/clock.ts';
import { createTransactions, type Transactions } from '../stack/transaction/layer.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { LEAVING, refusedForLoad, SILENT } from './admission.ts';
import { callIdFor, callLine, RETRY_AFTER } from './arrival.ts';
import { reasonHeader } from './causes.ts';
import { type Context, isOver, strangerTag } from './context.ts';
import { dropWhatOthersHold, watchOwners } from './drop.ts';
import { createElsewhere } from './elsewhere.ts';
import { createGate, type Gate } from './gate.ts';
import { hangUpAll } from './hangup.ts';
import { createLimits } from './limits.ts';
import { ALONE, gated, listenerOf, peerListenerOf } from './listeners.ts';
import { type NetworkOptions, openNetwork } from './network.ts';
import type { Directory, EdgePeers, EngineLink, EngineListener, Holder, Log, PeerListener } from './port.ts';
import { acknowledged, receive } from './requests.ts';
import { type Resolve, resolveByDns } from './resolve.ts';
import { stray } from './stray.ts';
import { createTrace, type TracedMessage } from './trace.ts';

export type EdgeOptions = NetworkOptions & {
  secret: string;
  /** Opens the way to the engines; what they say goes to the listener. */
  link(listener: EngineListener): EngineLink;
  /** Who we are to the engines and to the other edges. */
  self: Holder;
  /** Opens the way to the other edges of this address; absent where there can be none. */
  peers?(listener: PeerListener): EdgePeers;
  directory: Directory;
  allowed(address: string, port: number): boolean;
  /** Event-loop delay, p99, ms. */
  loopDelayMs(): number;
  log: Log;
  clock?: Clock;
  resolve?: Resolve;
  /** Milliseconds that go on while the process is frozen. */
  nowMs?: () => number;
  /** Tests give sockets of their own. */
  openNetwork?: typeof openNetwork;
};

export type Edge = {
  readonly port: number;
  /** Calls with a living leg. */
  liveCalls(): number;
  transactions(): number;
  messages(callId: string): TracedMessage[] | undefined;
  /** An engine can be reached. */
  ready(): boolean;
  /** Why a new call would be refused now, or undefined. */
  refusal(): string | undefined;
  /** In percent, for the other edges and the engines; above 100 nothing is done here any more. */
  load(): number;
  /**
   * No new calls from now on. Where another edge lives, those that live are left to it as they are; else they may end by
   * themselves for so long and are then hung up.
   */
  drain(patienceMs: number): Promise<void>;
  /** Resolves when every fact is durable. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

/** Binds and serves. Rejects where the port is taken. */
export async function openEdge(options: EdgeOptions): Promise<Edge> {
  const woken = (sleptMs: number) => {
    options.log.warn({ sleptMs }, 'this edge slept; what it holds is looked up');
    return dropWhatOthersHold(context);
  };
  let beaten = () => {};
  const nowMs = options.nowMs ?? (() => performance.now());
  const gate = createGate(options.clock ?? systemClock, nowMs, woken, () => beaten());
  const { clock } = gate;
  const trace = createTrace();
  const calls: Context['calls'] = new Map();
  const context = {
    secret: options.secret,
    self: options.self,
    clock,
    directory: options.directory,
    calls,
    dropped: new Set(),
    limits: createLimits(),
    accounts: new Map(),
    trace,
    log: options.log,
    resolve: options.resolve ?? resolveByDns,
    allowed: options.allowed,
    draining: false,
  } as unknown as { -readonly [K in keyof Context]: Context[K] };
  const transactions = createTransactions(
    {
      request: (server) => receive(context, server),
      ack: (request, arrival) => elsewhere.request(request, arrival) || acknowledged(context, request, arrival),
      stray: (response, arrival) => elsewhere.response(response, arrival) || stray(context, response, arrival),
      admit: (request, arrival, full) =>
        !elsewhere.request(request, arrival) && admit(context, options, request, arrival, full),
    },
    clock,
  );
  context.transactions = transactions;
  const elsewhere = createElsewhere(context);
  context.link = options.link(gated(gate, listenerOf(context, elsewhere)));
  context.peers = options.peers?.(peerListenerOf(context)) ?? ALONE;
  beaten = watchOwners(context);
  context.network = await (options.openNetwork ?? openNetwork)(options, {
    request: (request, arrival) => gate.pass(() => transactions.receiveRequest(request, arrival), true),
    response: (response, arrival) => gate.pass(() => transactions.receiveResponse(response, arrival), true),
    linesForFault: (fault) => linesForFault(context, fault),
    note: (sipCallId, direction, peer, bytes) => trace.note(sipCallId, direction, peer, bytes, Date.now()),
  });
  return edgeOf(context, options, transactions, gate);
}

/** Judges a new call before anything is kept of it; a refusal leaves no state behind. */
function admit(
  context: Context,
  options: EdgeOptions,
  request: SipRequest,
  arrival: Arrival,
  transactionsFull: boolean,
): boolean {
  if (request.method !== 'INVITE' || textParamOf(request.to.params, 'tag')) return true;
  if (overload(context, options, transactionsFull) === undefined) return true;
  const callId = callIdFor(context, request);
  // Congestion, where a call that nobody took says 41.
  const lines: HeaderLine[] = [callLine(callId), RETRY_AFTER, ['Reason', reasonHeader(42)]];
  // Not the tag of a leg: its ACK names nothing that anybody would have to be asked about.
  const toTag = strangerTag(context, request);
  arrival.peer.send(formatResponse(request, arrival.source, 503, { toTag, lines }), () => {});
  return false;
}

function overload(context: Context, options: EdgeOptions, transactionsFull: boolean): string | undefined {
  return refusedForLoad({
    draining: context.draining,
    loopDelayP99Ms: options.loopDelayMs(),
    pendingFacts: context.link.pending(),
    storeFull: context.link.full(),
    transactionsFull,
  });
}

/** A broken INVITE still names a call as far as it can be read, so that its sender can be helped. */
function linesForFault(context: Context, { method, headers }: Fault): HeaderLine[] {
  if (method !== 'INVITE' || !headers) return [];
  const fromTag = /;\s*tag\s*=\s*([^;\s]+)/i.exec(headers.get('from') ?? '')?.[1] ?? '';
  const cseq = Number.parseInt(headers.get('cseq') ?? '', 10) || 0;
  return [callLine(callIdOfInvite(context.secret, headers.get('call-id') ?? '', fromTag, cseq))];
}

function edgeOf(context: Context, options: EdgeOptions, transactions: Transactions, gate: Gate): Edge {
  // Leaving waits on a clock of its own: behind a gate that is shut no timer fires.
  const clock = options.clock ?? systemClock;
  const live = () => {
    let count = 0;
    for (const call of context.calls.values()) if (!isOver(call)) count++;
    return count;
  };
  let isSilent = false;
  return {
    port: context.network.advertise.port,
    liveCalls: live,
    transactions: transactions.count,
    messages: context.trace.messages,
    ready: () => context.link.ready(),
    refusal: () => overload(context, options, false),
    load: () => (isSilent ? SILENT : context.draining ? LEAVING : 0),
    async drain(patienceMs) {
      const end = clock.nowMs() + patienceMs;
      context.draining = true;
      if (context.peers.others()) await wait(clock, () => false, ANNOUNCE_MS);
      // One that leaves as well may have gone silent a moment ago, counting on us.
      if (context.peers.heirs() === 'leaving') await wait(clock, () => false, ANNOUNCE_MS);
      // Another edge takes the calls over; from here on this one is as silent as a dead one.
      isSilent = context.peers.heirs() !== undefined;
      if (isSilent) return gate.shut();
      await wait(clock, () => live() === 0, end - clock.nowMs());
      for (const call of context.calls.values()) hangUpAll(context, call);
      await wait(clock, () => live() === 0, BYE_MS);
    },
    settled: () => wait(clock, () => context.link.pending() === 0, Number.POSITIVE_INFINITY),
    close() {
      gate.shut();
      return context.network.close();
    },
  };
}

/** By then every other edge has read that this one leaves, and this one whether they do. */
const ANNOUNCE_MS = 700;
/** How long the BYEs of a leaving edge may take. */
const BYE_MS = 500;
const LOOK_EVERY_MS = 10;

async function wait(clock: Clock, met: () => boolean, patienceMs: number): Promise<void> {
  const end = clock.nowMs() + patienceMs;
  while (!met() && clock.nowMs() < end) {
    await new Promise<void>((done) => void clock.after(LOOK_EVERY_MS, done));
  }
}
