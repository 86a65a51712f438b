// What every part of the edge is given: the ports, the settings, the calls, and the names it writes on the wire.

import { branchOf, cseqOf, localTag, type Observed } from '@opentact/proto';
import type { ArrivalRate } from '../admission/arrival-rate.ts';
import type { Limits } from '../admission/limits.ts';
import type { SetupLimit } from '../admission/setup-limit.ts';
import { NO_OFFER } from '../stack/dialog/offers.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import type { Abilities } from '../stack/message/inspect.ts';
import type { SipRequest } from '../stack/message/message.ts';
import type { Clock } from '../stack/transaction/clock.ts';
import type { Transactions } from '../stack/transaction/layer.ts';
import { formatAddress, type TransportName } from '../stack/transport/peer.ts';
import type { Resolve } from '../uac/resolve.ts';
import type { CallerLeg, EdgeCall, Leg } from './call.ts';
import type { Network } from './network.ts';
import type { Account, Cluster, Directory, EdgeInstance, EngineLink, Log } from './port.ts';
import type { Trace } from './trace.ts';

/** How long an ended call is still known, so that what is late finds its end and not a stranger. */
export const REMEMBER_MS = 33_000;

export type Context = {
  readonly secret: string;
  readonly clock: Clock;
  readonly self: EdgeInstance;
  /** What the table of methods says (methods.ts), as requests are inspected by it and as `Allow` tells it. */
  readonly abilities: Abilities;
  readonly allow: HeaderLine;
  readonly link: EngineLink;
  readonly cluster: Cluster;
  readonly directory: Directory;
  readonly network: Network;
  readonly transactions: Transactions;
  readonly calls: Map<string, EdgeCall>;
  /** Calls whose first leg another edge took over: their INVITE, come again, begins nothing here. */
  readonly tombstones: Set<string>;
  readonly limits: Limits;
  readonly arrivals: ArrivalRate;
  readonly setups: SetupLimit;
  /** Latest answer of the Directory about each account whose calls came in here. */
  readonly accounts: Map<string, Account>;
  /** The realm of the first challenge of each trunk, by the kind of challenge, where the Directory names none. */
  readonly realms: Map<string, string>;
  readonly trace: Trace;
  readonly log: Log;
  readonly resolve: Resolve;
  /** May we be made to talk to this address? */
  readonly allowed: (address: string, port: number) => boolean;
  draining: boolean;
};

// Parts of it by role. A function that needs less than all takes one of these, or picks its own.

/** To end calls and forget them. */
export type CallKeeping = Pick<Context, 'calls' | 'limits' | 'link' | 'clock'>;
/** To send requests within a dialog. */
export type Sending = Pick<Context, 'network' | 'transactions' | 'resolve' | 'allowed'>;
/** To learn what an account may, and its trunk. */
export type AccountLookUp = Pick<Context, 'accounts' | 'directory' | 'resolve'>;
/** To learn where a dialled leg goes. */
export type TargetLookUp = AccountLookUp & Pick<Context, 'network' | 'allowed' | 'clock'>;
/** To find the edge that has a dialog. */
export type Forwarding = Pick<
  Context,
  'calls' | 'clock' | 'cluster' | 'link' | 'secret' | 'self' | 'tombstones' | 'transactions'
>;

/** Names of the request `seq` of a call at its `attempt`; `salt` tells apart what has no request of its own. */
export type Names = { readonly branch: string; readonly cseq: number };

export function namesOf(
  context: Pick<Context, 'secret'>,
  callId: string,
  seq: number,
  attempt: number,
  salt = '',
): Names {
  const story = salt === '' ? callId : `${callId}/${salt}`;
  return { branch: branchOf(context.secret, story, seq, attempt), cseq: cseqOf(seq, attempt) };
}

export function tagOf(context: Pick<Context, 'secret'>, callId: string, leg: number): string {
  return localTag(context.secret, callId, leg);
}

/** A tag for answers of no leg: the same for a request repeated, since it is derived from it. */
export function strangerTag(context: Pick<Context, 'secret'>, { callId, cseq }: SipRequest): string {
  return branchOf(context.secret, callId, cseq.number, 0).slice(7);
}

export function viaOf(context: Pick<Context, 'network'>, transport: TransportName, branch: string): string {
  return `SIP/2.0/${transport.toUpperCase()} ${hostPort(context)};branch=${branch};rport`;
}

/** Our Contact: whoever sends to it names the leg. */
export function contactLine(context: Pick<Context, 'network'>, tag: string, transport: TransportName): HeaderLine {
  return ['Contact', `<sip:${tag}@${hostPort(context)}${transport === 'udp' ? '' : `;transport=${transport}`}>`];
}

export function hostPort(context: Pick<Context, 'network'>): string {
  return formatAddress(context.network.advertise);
}

/** Reports and forgets about it: the link keeps the fact until it is durable. */
export function report(context: Pick<Context, 'link'>, callId: string, fact: Observed): Promise<void> {
  const reported = context.link.report(callId, fact);
  reported.catch(() => {});
  return reported;
}

/** The leg is over on the wire: said once, and everything that waited on it is let go. */
export function endLeg(context: CallKeeping, leg: Leg, fact: Observed): Promise<void> {
  if (leg.state === 'ended') return Promise.resolve();
  leg.state = 'ended';
  leg.unconfirmed?.over();
  leg.unconfirmed = undefined;
  if (leg.kind === 'caller' && leg.answeredBy > 0) letGoOfInvite(leg);
  leg.offers = NO_OFFER;
  leg.offered?.server.respond(487);
  leg.offered = undefined;
  leg.hangup = undefined;
  const reported = report(context, leg.call.id, fact);
  forgetWhenOver(context, leg.call);
  return reported;
}

/**
 * Its transaction is over, or the leg is that was answered: the INVITE, whose bytes nobody counts any more, is not kept
 * as long as the call is known.
 */
export function letGoOfInvite(leg: CallerLeg): void {
  if (leg.state === 'arrived' || leg.unconfirmed) return;
  leg.server = undefined;
  leg.said = undefined;
  leg.others.length = 0;
}

export function isOver(call: EdgeCall): boolean {
  for (const leg of call.legs.values()) if (leg.state !== 'ended') return false;
  return true;
}

/** The call's source acknowledged our answer, or the call is over: it is no part of that source's share any more. */
export function confirmSource(context: Pick<Context, 'limits'>, call: EdgeCall): void {
  if (call.unconfirmedBy === undefined) return;
  context.limits.confirm(call.accountId, call.unconfirmedBy);
  call.unconfirmedBy = undefined;
}

/** Gives back the call's place among those of its account. */
export function leaveAccount(context: Pick<Context, 'limits'>, call: EdgeCall): void {
  confirmSource(context, call);
  if (call.counted) context.limits.leave(call.accountId);
  call.counted = false;
}

/** A call without living legs is remembered for a while, then forgotten here and in the link. */
export function forgetWhenOver(context: CallKeeping, call: EdgeCall): void {
  if (!isOver(call)) return;
  leaveAccount(context, call);
  call.forgetting?.();
  call.forgetting = context.clock.after(REMEMBER_MS, () => {
    if (!isOver(call)) return;
    context.calls.delete(call.id);
    context.link.forget(call.id);
  });
}
