// One edge: its sockets, its transactions and its calls, between the phones and the engines.
// It knows no flow; it refuses new calls it can't carry, and nothing else.

import { callIdOfInvite } from '@opentact/proto';
import { formatResponse, type HeaderLine } from '../stack/message/build.ts';
import type { Fault, SipRequest } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import { type Clock, systemClock } from '../stack/transaction/clock.ts';
import { createTransactions, type Transactions } from '../stack/transaction/layer.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { refusedForLoad } from './admission.ts';
import { callIdFor, callLine, RETRY_AFTER } from './arrival.ts';
import { serve } from './asks.ts';
import { refuse } from './caller.ts';
import { type Context, isOver, tagOf } from './context.ts';
import { hangUpAll, release } from './hangup.ts';
import { createLimits } from './limits.ts';
import { type NetworkOptions, openNetwork } from './network.ts';
import type { Directory, EngineLink, EngineListener, Log } from './port.ts';
import { acknowledged, receive } from './requests.ts';
import { type Resolve, resolveByDns } from './resolve.ts';
import { stray } from './stray.ts';
import { createTrace, type TracedMessage } from './trace.ts';

export type EdgeOptions = NetworkOptions & {
  secret: string;
  /** Opens the way to the engines; what they say goes to the listener. */
  link(listener: EngineListener): EngineLink;
  directory: Directory;
  allowed(address: string, port: number): boolean;
  /** Event-loop delay, p99, ms. */
  loopDelayMs(): number;
  log: Log;
  clock?: Clock;
  resolve?: Resolve;
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
  /** No new calls from now on. Those that live may end by themselves for so long; then they are hung up. */
  drain(patienceMs: number): Promise<void>;
  /** Resolves when every fact is durable. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

/** Binds and serves. Rejects where the port is taken. */
export async function openEdge(options: EdgeOptions): Promise<Edge> {
  const clock = options.clock ?? systemClock;
  const trace = createTrace();
  const calls: Context['calls'] = new Map();
  const context = {
    secret: options.secret,
    clock,
    directory: options.directory,
    calls,
    limits: createLimits(),
    accounts: new Map(),
    learning: new Map(),
    trace,
    log: options.log,
    resolve: options.resolve ?? resolveByDns,
    allowed: options.allowed,
    draining: false,
  } as unknown as { -readonly [K in keyof Context]: Context[K] };
  const transactions = createTransactions(
    {
      request: (server) => receive(context, server),
      ack: (request) => acknowledged(context, request),
      stray: (response, arrival) => stray(context, response, arrival),
      admit: (request, arrival, full) => admit(context, options, request, arrival, full),
    },
    clock,
  );
  context.transactions = transactions;
  context.link = options.link(listenerOf(context));
  context.network = await (options.openNetwork ?? openNetwork)(options, {
    request: transactions.receiveRequest,
    response: transactions.receiveResponse,
    linesForFault: (fault) => linesForFault(context, fault),
    note: (sipCallId, direction, peer, bytes) => trace.note(sipCallId, direction, peer, bytes, Date.now()),
  });
  return edgeOf(context, options, transactions);
}

function listenerOf(context: Context): EngineListener {
  return {
    ask: (event) => serve(context, event),
    gone: (callId) => release(context, callId),
    known(callId, first) {
      // Another edge holds this call, or a boot of ours that is lost did: it can't be carried on from here.
      context.log.warn({ callId, first: first?.seq }, 'the call began at another edge');
      const leg = context.calls.get(callId)?.legs.get(0);
      if (leg?.kind !== 'caller') return;
      leg.call.told = false;
      const began = first?.type === 'CallArrived' ? first : undefined;
      const request = leg.server?.request;
      const merged =
        began && request && (began.topBranch !== request.via.branch || began.requestUri !== request.uriText);
      refuse(context, leg, merged ? 482 : 503, 41, merged ? [] : [RETRY_AFTER]);
    },
    held: () => [...context.calls.values()].filter((call) => !isOver(call)).map(({ id }) => id),
  };
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
  const lines = [callLine(callId), RETRY_AFTER];
  const toTag = tagOf(context, callId, 0);
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

function edgeOf(context: Context, options: EdgeOptions, transactions: Transactions): Edge {
  const live = () => {
    let count = 0;
    for (const call of context.calls.values()) if (!isOver(call)) count++;
    return count;
  };
  return {
    port: context.network.advertise.port,
    liveCalls: live,
    transactions: transactions.count,
    messages: context.trace.messages,
    ready: () => context.link.ready(),
    refusal: () => overload(context, options, false),
    async drain(patienceMs) {
      context.draining = true;
      await wait(context, () => live() === 0, patienceMs);
      for (const call of context.calls.values()) hangUpAll(context, call);
      await wait(context, () => live() === 0, BYE_MS);
    },
    settled: () => wait(context, () => context.link.pending() === 0, Number.POSITIVE_INFINITY),
    close: () => context.network.close(),
  };
}

/** How long the BYEs of a leaving edge may take. */
const BYE_MS = 500;
const LOOK_EVERY_MS = 50;

async function wait(context: Context, met: () => boolean, patienceMs: number): Promise<void> {
  const end = context.clock.nowMs() + patienceMs;
  while (!met() && context.clock.nowMs() < end) {
    await new Promise<void>((done) => void context.clock.after(LOOK_EVERY_MS, done));
  }
}
