// One edge: its sockets, its transactions and its calls, between the phones and the engines.
// It knows no flow; it refuses new calls it can't carry, and nothing else.

import { callIdOfInvite } from '@opentact/proto';
import { createBudget } from '@opentact/runtime';
import { createArrivalRate } from '../admission/arrival-rate.ts';
import { createLimits } from '../admission/limits.ts';
import { LEAVING, refusedForLoad, SILENT } from '../admission/overload.ts';
import { createSetupLimit } from '../admission/setup-limit.ts';
import { createDialogForwarder } from '../cluster/dialog-forwarder.ts';
import { relinquishWhatOthersHold, watchOwners } from '../cluster/relinquish.ts';
import { createSuspendGuard, type SuspendGuard } from '../cluster/suspend-guard.ts';
import { ABILITIES, ALLOW } from '../methods.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import type { Fault, SipRequest } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import { type Clock, systemClock } from '../stack/transaction/clock.ts';
import { createTransactions, type Transactions } from '../stack/transaction/layer.ts';
import { respondStateless } from '../stack/transaction/stateless.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { createResolve, type Resolve } from '../uac/resolve.ts';
import { handleStray2xx } from '../uac/stray-2xx.ts';
import { callIdFor, callLine, isBeyondRate, RETRY_AFTER } from '../uas/arrival.ts';
import { connectionsOf } from './call.ts';
import { reasonHeader } from './causes.ts';
import { type Context, isOver, strangerTag } from './context.ts';
import { hangUpAll } from './hangup.ts';
import { ALONE, clusterListenerOf, guarded, listenerOf } from './listeners.ts';
import { type NetworkOptions, openNetwork } from './network.ts';
import type { Cluster, ClusterListener, Directory, EdgeInstance, EngineLink, EngineListener, Log } from './port.ts';
import { acknowledged, answerStateless, receive, refusalOfStateless } from './requests.ts';
import { createTrace, type TracedMessage } from './trace.ts';

export type EdgeOptions = NetworkOptions & {
  secret: string;
  /** Opens the way to the engines; what they say goes to the listener. */
  link(listener: EngineListener): EngineLink;
  /** Who we are to the engines and to the other edges. */
  self: EdgeInstance;
  /** Opens the way to the other edges of this address; absent where there can be none. */
  cluster?(listener: ClusterListener): Cluster;
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
  const resumed = (suspendedMs: number) => {
    options.log.warn({ suspendedMs }, 'this edge was suspended; the legs that it has are looked up');
    return relinquishWhatOthersHold(context);
  };
  let onHeartbeat = () => {};
  const nowMs = options.nowMs ?? (() => performance.now());
  const guard = createSuspendGuard(options.clock ?? systemClock, nowMs, resumed, () => onHeartbeat());
  const { clock } = guard;
  const trace = createTrace();
  const calls: Context['calls'] = new Map();
  const context = {
    secret: options.secret,
    self: options.self,
    abilities: ABILITIES,
    allow: ALLOW,
    clock,
    directory: options.directory,
    calls,
    tombstones: new Set(),
    limits: createLimits(),
    arrivals: createArrivalRate(),
    setups: createSetupLimit(),
    accounts: new Map(),
    realms: new Map(),
    trace,
    log: options.log,
    resolve: options.resolve ?? createResolve(),
    allowed: options.allowed,
    draining: false,
  } as unknown as { -readonly [K in keyof Context]: Context[K] };
  const admit = admissionOf(context, options);
  const transactions = createTransactions(
    {
      request: (server) => receive(context, server),
      ack: (request, arrival) => forwarder.request(request, arrival) || acknowledged(context, request, arrival),
      strayResponse: (response, arrival) =>
        forwarder.response(response, arrival) || handleStray2xx(context, response, arrival),
      admit: (request, arrival, full) => !forwarder.request(request, arrival) && admit(request, arrival, full),
    },
    clock,
  );
  context.transactions = transactions;
  const forwarder = createDialogForwarder(context, options.cluster === undefined);
  context.link = options.link(guarded(guard, listenerOf(context, forwarder)));
  context.cluster = options.cluster?.(clusterListenerOf(context)) ?? ALONE;
  onHeartbeat = watchOwners(context);
  context.network = await (options.openNetwork ?? openNetwork)(options, {
    request: (request, arrival) => guard.pass(() => transactions.receiveRequest(request, arrival), request.raw.length),
    response: (response, arrival) =>
      guard.pass(() => transactions.receiveResponse(response, arrival), response.raw.length),
    linesForFault: (fault) => linesForFault(context, fault),
    connectionsInUse: () => connectionsOf(context.calls.values()),
    note: (sipCallId, direction, peer, bytes) => trace.note(sipCallId, direction, peer, bytes, Date.now()),
  });
  return edgeOf(context, options, transactions, guard);
}

/** Judges a new call before anything is kept of it; a refusal leaves no state behind, and is logged once a second at most. */
function admissionOf(context: Context, options: EdgeOptions) {
  const toLog = createBudget(1, 1);
  return (request: SipRequest, arrival: Arrival, transactionsFull: boolean): boolean => {
    const refusal = refusalOfStateless(context, request, transactionsFull);
    if (refusal) return answerStateless(context, request, arrival, refusal);
    if (request.method !== 'INVITE' || textParamOf(request.to.params, 'tag')) return true;
    const draw = () => drawOf(callIdFor(context, request));
    const load = overload(context, options, transactionsFull, draw);
    if (load === undefined && !isBeyondRate(context, request, arrival)) return true;
    const callId = callIdFor(context, request);
    // The rate is for calls that begin: this one did, and its INVITE came again another way.
    if (load === undefined && context.calls.has(callId)) return true;
    if (toLog.take(performance.now()))
      context.log.warn(
        { callId, reason: load ?? 'rate', from: arrival.source.address, loopDelayMs: options.loopDelayMs() },
        load ? 'new calls are refused for load' : 'new calls are refused for the rate of their source',
      );
    // Congestion, where a call that nobody took says 41.
    const lines: HeaderLine[] = [callLine(callId), RETRY_AFTER, ['Reason', reasonHeader(42)]];
    // Not the tag of a leg: its ACK names nothing that anybody would have to be asked about.
    const toTag = strangerTag(context, request);
    respondStateless(request, arrival, 503, { toTag, lines }, request.raw.length);
    return false;
  };
}

function overload(
  context: Context,
  options: EdgeOptions,
  transactionsFull: boolean,
  draw: () => number,
): string | undefined {
  const load = {
    draining: context.draining,
    loopDelayP99Ms: options.loopDelayMs(),
    pendingFacts: context.link.pending(),
    storeFull: context.link.full(),
    transactionsFull,
    setupsFull: context.setups.isFull(),
  };
  return refusedForLoad(load, draw);
}

/** A number from 0 to 1 of the call's id, which is a keyed hash of what the INVITE names: nobody outside can choose it. */
const drawOf = (callId: string) => Number.parseInt(callId.slice(0, 6), 16) / 0x1000000;

/** A broken INVITE still names a call as far as it can be read, so that its sender can be helped. */
function linesForFault(context: Context, { method, headers }: Fault): HeaderLine[] {
  if (method !== 'INVITE' || !headers) return [];
  const fromTag = /;\s*tag\s*=\s*([^;\s]+)/i.exec(headers.get('from') ?? '')?.[1] ?? '';
  const cseq = Number.parseInt(headers.get('cseq') ?? '', 10) || 0;
  return [callLine(callIdOfInvite(context.secret, headers.get('call-id') ?? '', fromTag, cseq))];
}

function edgeOf(context: Context, options: EdgeOptions, transactions: Transactions, guard: SuspendGuard): Edge {
  // Leaving waits on a clock of its own: behind a guard that is shut no timer fires.
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
    refusal: () => overload(context, options, false, () => 1),
    load: () => (isSilent ? SILENT : context.draining ? LEAVING : 0),
    async drain(patienceMs) {
      const end = clock.nowMs() + patienceMs;
      context.draining = true;
      if (context.cluster.others()) await wait(clock, () => false, ANNOUNCE_MS);
      // One that leaves as well may have gone silent a moment ago, counting on us.
      if (context.cluster.heirs() === 'leaving') await wait(clock, () => false, ANNOUNCE_MS);
      // Another edge takes the calls over; from here on this one is as silent as a dead one.
      isSilent = context.cluster.heirs() !== undefined;
      if (isSilent) return guard.shut();
      await wait(clock, () => live() === 0, end - clock.nowMs());
      for (const call of context.calls.values()) hangUpAll(context, call);
      await wait(clock, () => live() === 0, BYE_MS);
    },
    settled: () => wait(clock, () => context.link.pending() === 0, Number.POSITIVE_INFINITY),
    close() {
      guard.shut();
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
