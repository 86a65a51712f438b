// What the edge holds of a call while it lives: its legs, their dialogs, and what still waits for an answer.
// This is the shell's memory, never the truth: the truth is the journal.

import type { CallEvent, FactOf } from '@opentact/proto';
import type { Budget } from '@opentact/runtime';
import { keyBudget, offerBudget } from '../admission/leg-budget.ts';
import type { Dialog } from '../stack/dialog/dialog.ts';
import type { Forks } from '../stack/dialog/forks.ts';
import { NO_OFFER, type Offers } from '../stack/dialog/offers.ts';
import type { HeaderLine, ResponseOptions } from '../stack/message/build.ts';
import type { OwnRequest } from '../stack/message/own-request.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import type { Peer } from '../stack/transport/peer.ts';
import { type Credentials, noCredentials } from '../uac/credentials.ts';
import { noRedirects, type Redirects } from '../uac/redirects.ts';
import type { Endpoint } from '../uac/resolve.ts';
import type { Trunk } from './port.ts';

/** A 2xx of ours that waits for its ACK. */
export type Unconfirmed = { readonly cseq: number; ack(sdp: string): void; over(): void };

type LegBase = {
  readonly call: EdgeCall;
  readonly number: number;
  /** Our tag, which is also the user part of our Contact. */
  readonly tag: string;
  dialog?: Dialog;
  /** Where the dialog's messages last came from: the way back where its Contact can't be trusted. */
  peer?: Peer;
  offers: Offers;
  unconfirmed?: Unconfirmed;
  /** The peer's re-INVITE that waits for the engine. */
  offered?: { readonly transaction: string; readonly server: ServerTransaction };
  /** The hang-up that waits, for an ACK or for a first answer. */
  hangup?: CallEvent<FactOf<'HangupRequested'>>;
  /** What it may still tell this second. */
  readonly mayOffer: Budget;
  readonly mayPress: Budget;
  byeSent: boolean;
  /** Our requests within the dialog that are under way: method by branch. */
  readonly open: Map<string, string>;
  /** `seq` of the latest request about this leg: what the edge must send on its own is named after it. */
  lastSeq: number;
};

export type CallerLeg = LegBase & {
  readonly kind: 'caller';
  /** Absent where its transaction is over, or the leg was adopted after its answer was acknowledged. */
  server?: ServerTransaction | undefined;
  /** What was answered last, for a caller that asks again by another way. */
  said?: { readonly status: number; readonly options: ResponseOptions } | undefined;
  /** The same INVITE by other ways: each wants the answer too. */
  readonly others: ServerTransaction[];
  state: 'arrived' | 'answered' | 'ended';
  /** `seq` of the latest RingRequested that was served; 0: none. */
  rangBy: number;
  /** `seq` of the AnswerRequested. */
  answeredBy: number;
};

/** Where a dialled leg goes. `transport` undefined: UDP, or TCP where the request is too large for it. */
export type Target = {
  readonly uriText: string;
  /** As it stands in To, where a way to get there may not (RFC 3261 19.1.1). */
  readonly toText: string;
  readonly endpoint: Endpoint;
  readonly transport: 'udp' | 'tcp' | undefined;
  readonly lines: readonly HeaderLine[];
  readonly trunk?: Trunk;
  /** All that the host resolved to. */
  readonly addresses: readonly string[];
  /** The user part of From: who is shown as the caller. */
  readonly fromUser: string;
};

/** With the addresses that its host resolved to. */
export type ResolvedTrunk = Trunk & { readonly resolved: readonly string[] };

/** An INVITE of ours, and what it was answered so far. */
export type SentInvite = {
  readonly request: OwnRequest;
  readonly attempt: number;
  readonly target: Target;
  readonly peer: Peer;
  /** Its header lines with credentials; its ACK carries them too (RFC 3261 22.1). */
  readonly auth: readonly HeaderLine[];
  forks: Forks;
  /** Something was heard, so a CANCEL may go out (RFC 3261 9.1). */
  heard: boolean;
};

/** `sent`: the latest, absent until the first goes out. */
export type Dialling = { sent?: SentInvite; rang: boolean; cancelSent: boolean };

export type CalleeLeg = LegBase & {
  readonly kind: 'callee';
  readonly ask: CallEvent<FactOf<'DialRequested'>>;
  /** Another edge may have sent its INVITE before, so that a phone may be ringing. */
  readonly resumed: boolean;
  attempt: number;
  trunk?: ResolvedTrunk | undefined;
  readonly credentials: Credentials;
  readonly redirects: Redirects;
  /** What To says, whichever Contact of a 3xx is tried (RFC 3261 8.1.3.4). */
  toText?: string;
} & (
    | { state: 'preparing' }
    | { state: 'dialling'; readonly dialling: Dialling }
    | { state: 'answered' }
    | { state: 'ended' }
  );

export type DiallingLeg = Extract<CalleeLeg, { state: 'dialling' }>;

export type Leg = CallerLeg | CalleeLeg;

export type EdgeCall = {
  readonly id: string;
  accountId: string;
  /** The app that runs it; empty where another edge had asked. */
  appId: string;
  /** Undefined where the call was adopted and nothing is known of its account yet; 0: no limit. */
  dialsPerMinuteMax: number | undefined;
  /** True while it counts among the account's calls. */
  counted: boolean;
  /** The source that did not acknowledge our answer yet, while it counts among that source's share of the account's calls. */
  unconfirmedBy?: string | undefined;
  /** How often this call already passed through a number of our own. */
  hops: number;
  readonly legs: Map<number, Leg>;
  /** Legs that were never held here and whose end was told all the same: never twice. */
  readonly strangers: Set<number>;
  /** `seq` of the latest AdoptRequested; 0: it began here. */
  adoptedAt: number;
  /** CallArrived was handed over, so the end must be as well. */
  told: boolean;
  forgetting?: () => void;
};

export function newCall(id: string): EdgeCall {
  return {
    id,
    accountId: '',
    appId: '',
    dialsPerMinuteMax: undefined,
    counted: false,
    hops: 0,
    legs: new Map(),
    strangers: new Set(),
    adoptedAt: 0,
    told: false,
  };
}

export function newCallerLeg(call: EdgeCall, tag: string, server: ServerTransaction | undefined): CallerLeg {
  const way = server ? { server, peer: server.arrival.peer } : {};
  const budgets = { mayOffer: offerBudget(), mayPress: keyBudget() };
  const base = {
    call,
    number: 0,
    tag,
    ...way,
    ...budgets,
    offers: NO_OFFER,
    byeSent: false,
    open: new Map(),
    lastSeq: 0,
  };
  return { ...base, kind: 'caller', others: [], state: 'arrived', rangBy: 0, answeredBy: 0 };
}

export function newCalleeLeg(
  call: EdgeCall,
  tag: string,
  ask: CallEvent<FactOf<'DialRequested'>>,
  resumed: boolean,
): CalleeLeg {
  const base = {
    call,
    number: ask.leg,
    tag,
    mayOffer: offerBudget(),
    mayPress: keyBudget(),
    offers: NO_OFFER,
    byeSent: false,
    open: new Map(),
    lastSeq: ask.seq,
  };
  const tries = { attempt: 0, credentials: noCredentials(), redirects: noRedirects() };
  return { ...base, ...tries, kind: 'callee', ask, resumed, state: 'preparing' };
}

/** It is known where the leg goes: from here on INVITEs are sent for it. */
export function startDialling(leg: CalleeLeg): void {
  const dialling: Dialling = { rang: false, cancelSent: false };
  Object.assign(leg, { state: 'dialling', dialling });
}

export function setAnswered(leg: CalleeLeg): void {
  leg.state = 'answered';
}

/** Asked after anything was waited for: the leg may have ended meanwhile. */
export function isDialling(leg: CalleeLeg): leg is DiallingLeg {
  return leg.state === 'dialling';
}

/** False where another edge took the leg over: nothing is said of it here any more. */
export function isOurs(leg: Leg): boolean {
  return leg.call.legs.get(leg.number) === leg;
}

/** Connections that carry legs which are not over, each as `address:port`. */
export function connectionsOf(calls: Iterable<EdgeCall>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { legs } of calls) {
    for (const { state, peer } of legs.values())
      if (state !== 'ended' && peer?.transport === 'tcp') found.add(`${peer.address}:${peer.port}`);
  }
  return found;
}
