// What every part of the edge is given: the ports, the settings, the calls, and the names it writes on the wire.

import { branchOf, cseqOf, localTag, type Observed } from '@opentact/proto';
import { NO_OFFER } from '../stack/dialog/offers.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import type { SipRequest } from '../stack/message/message.ts';
import type { Clock } from '../stack/transaction/clock.ts';
import type { Transactions } from '../stack/transaction/layer.ts';
import type { TransportName } from '../stack/transport/peer.ts';
import type { EdgeCall, Leg } from './call.ts';
import type { Limits } from './limits.ts';
import type { Network } from './network.ts';
import type { Account, Directory, EdgePeers, EngineLink, Holder, Log } from './port.ts';
import type { Resolve } from './resolve.ts';
import type { Trace } from './trace.ts';

export const METHODS = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS'] as const;
export const ALLOW: HeaderLine = ['Allow', METHODS.join(', ')];
export const ABILITIES = { methods: METHODS, extensions: [], bodyType: 'application/sdp' };

/** How long an ended call is still known, so that what is late finds its end and not a stranger. */
export const REMEMBER_MS = 33_000;

export type Context = {
  readonly secret: string;
  readonly clock: Clock;
  readonly self: Holder;
  readonly link: EngineLink;
  readonly peers: EdgePeers;
  readonly directory: Directory;
  readonly network: Network;
  readonly transactions: Transactions;
  readonly calls: Map<string, EdgeCall>;
  /** Calls whose first leg another edge took over: their INVITE, come again, begins nothing here. */
  readonly dropped: Set<string>;
  readonly limits: Limits;
  /** Latest answer of the Directory about each account whose calls came in here. */
  readonly accounts: Map<string, Account>;
  readonly trace: Trace;
  readonly log: Log;
  readonly resolve: Resolve;
  /** May we be made to talk to this address? */
  readonly allowed: (address: string, port: number) => boolean;
  draining: boolean;
};

/** Names of the request `seq` of a call at its `attempt`; `salt` tells apart what has no request of its own. */
export type Names = { readonly branch: string; readonly cseq: number };

export function namesOf(context: Context, callId: string, seq: number, attempt: number, salt = ''): Names {
  const story = salt === '' ? callId : `${callId}/${salt}`;
  return { branch: branchOf(context.secret, story, seq, attempt), cseq: cseqOf(seq, attempt) };
}

export function tagOf(context: Context, callId: string, leg: number): string {
  return localTag(context.secret, callId, leg);
}

/** A tag for answers of no leg: the same for a request repeated, since it is derived from it. */
export function strangerTag(context: Context, { callId, cseq }: SipRequest): string {
  return branchOf(context.secret, callId, cseq.number, 0).slice(7);
}

export function viaOf(context: Context, transport: TransportName, branch: string): string {
  return `SIP/2.0/${transport.toUpperCase()} ${hostPort(context)};branch=${branch};rport`;
}

/** Our Contact: whoever sends to it names the leg. */
export function contactLine(context: Context, tag: string, transport: TransportName): HeaderLine {
  return ['Contact', `<sip:${tag}@${hostPort(context)}${transport === 'udp' ? '' : `;transport=${transport}`}>`];
}

export function hostPort(context: Context): string {
  const { address, port } = context.network.advertise;
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Reports and forgets about it: the link keeps the fact until it is durable. */
export function report(context: Context, callId: string, fact: Observed): Promise<void> {
  const reported = context.link.report(callId, fact);
  reported.catch(() => {});
  return reported;
}

/** The leg is over on the wire: said once, and everything that waited on it is let go. */
export function endLeg(context: Context, leg: Leg, fact: Observed): Promise<void> {
  if (leg.state === 'ended') return Promise.resolve();
  leg.state = 'ended';
  leg.unconfirmed?.over();
  leg.unconfirmed = undefined;
  leg.offers = NO_OFFER;
  leg.offered?.server.respond(487);
  leg.offered = undefined;
  leg.hangup = undefined;
  const reported = report(context, leg.call.id, fact);
  forgetWhenOver(context, leg.call);
  return reported;
}

export function isOver(call: EdgeCall): boolean {
  for (const leg of call.legs.values()) if (leg.state !== 'ended') return false;
  return true;
}

/** A call without living legs is remembered for a while, then forgotten here and in the link. */
export function forgetWhenOver(context: Context, call: EdgeCall): void {
  if (!isOver(call)) return;
  if (call.counted) {
    call.counted = false;
    context.limits.leave(call.accountId);
  }
  call.forgetting?.();
  call.forgetting = context.clock.after(REMEMBER_MS, () => {
    if (!isOver(call)) return;
    context.calls.delete(call.id);
    context.link.forget(call.id);
  });
}
