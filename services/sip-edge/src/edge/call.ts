// What the edge holds of a call while it lives: its legs, their dialogs, and what still waits for an answer.
// This is the shell's memory, never the truth: the truth is the journal.

import type { CallEvent, FactOf } from '@opentact/proto';
import type { Dialog } from '../stack/dialog/dialog.ts';
import type { Forks } from '../stack/dialog/forks.ts';
import { NO_OFFER, type Offers } from '../stack/dialog/offers.ts';
import type { ResponseOptions } from '../stack/message/build.ts';
import type { OwnRequest } from '../stack/message/own-request.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import type { Peer } from '../stack/transport/peer.ts';
import type { Trunk } from './port.ts';
import type { Target } from './target.ts';

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
  byeSent: boolean;
  /** Our requests within the dialog that are under way: method by branch. */
  readonly open: Map<string, string>;
  /** `seq` of the latest request about this leg: what the edge must send on its own is named after it. */
  lastSeq: number;
};

export type CallerLeg = LegBase & {
  readonly kind: 'caller';
  /** Absent where the leg was adopted after its answer was acknowledged. */
  readonly server?: ServerTransaction;
  /** What was answered last, for a caller that asks again by another way. */
  said?: { readonly status: number; readonly options: ResponseOptions };
  /** The same INVITE by other ways: each wants the answer too. */
  readonly others: ServerTransaction[];
  state: 'arrived' | 'answered' | 'ended';
  /** `seq` of the latest RingRequested that was served; 0: none. */
  rangBy: number;
  /** `seq` of the AnswerRequested. */
  answeredBy: number;
  /** Why it ended before an answer of ours. */
  cancelled: boolean;
};

export type CalleeLeg = LegBase & {
  readonly kind: 'callee';
  readonly ask: CallEvent<FactOf<'DialRequested'>>;
  /** Another edge may have sent its INVITE before, so that a phone may be ringing. */
  resumed: boolean;
  target?: Target;
  state: 'preparing' | 'dialling' | 'answered' | 'ended';
  attempt: number;
  trunk?: Trunk;
  invite?: OwnRequest;
  forks?: Forks;
  rang: boolean;
  /** Something was heard, so a CANCEL may go out (RFC 3261 9.1). */
  heard: boolean;
  cancelSent: boolean;
  challenged: boolean;
};

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
  const base = { call, number: 0, tag, ...way, offers: NO_OFFER, byeSent: false, open: new Map(), lastSeq: 0 };
  return { ...base, kind: 'caller', others: [], state: 'arrived', rangBy: 0, answeredBy: 0, cancelled: false };
}

export function newCalleeLeg(call: EdgeCall, tag: string, ask: CallEvent<FactOf<'DialRequested'>>): CalleeLeg {
  const base = { call, number: ask.leg, tag, offers: NO_OFFER, byeSent: false, open: new Map(), lastSeq: ask.seq };
  const none = { rang: false, heard: false, cancelSent: false, challenged: false, resumed: false };
  return { ...base, ...none, kind: 'callee', ask, state: 'preparing', attempt: 0 };
}

/** False where another edge took the leg over: nothing is said of it here any more. */
export function isOurs(leg: Leg): boolean {
  return leg.call.legs.get(leg.number) === leg;
}
