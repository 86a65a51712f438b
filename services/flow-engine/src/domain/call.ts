/** The state of one call: plain data that can be printed, compared and snapshotted. Only `evolve` makes a new one. */
import type { PublicCall } from '@opentact/proto/call-view';
import type { App, CallEvent, Decided, Dialog, MediaPeer, Owner, To } from '@opentact/proto/events';
import type { HelperKind } from '@opentact/proto/requests';
import type { Variables, Verb } from './language/verb.ts';

/** Changes with the shape of `Call`; `snapshots.ts` makes older ones into this. */
export const SNAPSHOT_VERSION = 3;

/** A leg by its number: 0 the caller's, 1 … those we dialled. */
export type Leg = {
  /** `arrived` → `answering` → `answered` (the caller's); `preparing` → `dialling` → `answered` (dialled); `ended` for all. */
  state: 'arrived' | 'answering' | 'preparing' | 'dialling' | 'answered' | 'ended';
  /** The edge that holds the dialog. */
  edge?: To;
  /** Its edge died, and none was asked yet to hold it instead. */
  adrift?: true;
  /** The dialog as its edge last told it, once the leg is answered. */
  dialog?: Dialog;
  /** The 200 of ours that waits for its ACK: the `seq` of its AnswerRequested, and what it carried. */
  unconfirmed?: { answer: number; sdp: string };
  session?: Session;
  /** Where its edge said that its media may come from and go to. */
  media?: MediaPeer;
  /** Its media node died: `lost` until another is asked for a session, `untold` until the peer is offered it, `telling`
   * until its answer is taken. `sdpVersion` is that of the latest description (RFC 3264 8), which is `sdp`. */
  moving?: { stage: 'lost' | 'untold' | 'telling'; sdpVersion: number; sdp?: string };
  ringing: boolean;
  /** The caller hears us before the answer (183). */
  early?: true;
  answeredAt: number;
  /** The peer doesn't want our audio; silence from it ends nothing. */
  held: boolean;
  /** The peer's offer that is still to be answered. */
  offer?: { transaction: string; sdp: string };
  /** Where a dialled leg goes. */
  target: string;
  /** The way by which its first key came, known once one came by INFO: keys by another way are events only. */
  keys?: 'rtp' | 'info';
  /** When media last ended a recording of it for a key, ms since the epoch: the same key may come by INFO too. */
  recordEndedAt?: number;
};

/** A media session of a leg. `sdp` is our own latest description, empty until `SessionReady`; `described` the one before. */
export type Session = {
  node: To;
  sdp: string;
  described?: string;
  sdpVersion: number;
  /** `seq` of its SessionRequested. */
  request?: number;
};

/** The verb being performed; `memory` is what its performer has learned since `VerbStarted` (`seq`). */
export type Running = { verb: Verb; path: string; document: number; seq: number; memory: Memory };

/** What performers remember. Each reads only the fields it wrote. */
export type Memory = {
  play?: number;
  /** Plays at other legs than the caller's. */
  elsewhere?: Array<{ play: number; leg: number }>;
  timer?: number;
  record?: number;
  request?: number;
  bridge?: number;
  answered?: number;
  digits?: string;
  key?: string;
  attempt?: number;
  played?: number;
  fired?: number;
  legs?: number[];
  /** Groups that the Directory is still asked for, by seq; whom those ring that it answered for. */
  groups?: number[];
  members?: string[];
  winner?: number;
  gone?: number[];
  failed?: string;
};

/** A block of verbs being run. `opener` is the block verb that resumes when the block is done (Record);
 * `nested` marks a fetched document within the root one, `error` is that document's own. */
export type Frame = {
  path: string;
  verbs: Verb[];
  next: number;
  document: number;
  opener?: Running;
  nested?: true;
  error?: Verb[];
};

export type Flow = {
  /** Root documents so far; the running one's number. */
  document: number;
  /** Documents asked for so far, roots and nested. */
  documents: number;
  frames: Frame[];
  running?: Running;
  responseError?: Verb[];
  /** The static document behind a URL, already parsed. */
  fallback?: { verbs: Verb[]; error?: Verb[] };
  /** Digits that a Gather to come will begin with. */
  ahead: string;
  lastDigits: string;
  /** Variables of the call. */
  meta?: Variables;
  /** Where the caller's number is at home, once the Directory said so. */
  location?: { state: string; county: string };
  /** A root document is asked for under this seq. */
  awaited?: number;
  /** The root document that was asked for under this seq can't be had. */
  unmet?: number;
};

export type Ending = { owner: Owner; reason: string; q850: number };

export type Call = {
  id: string;
  seq: number;
  /** The owner's clock at the last event, ms. */
  at: number;
  state: 'new' | 'live' | 'ended' | 'faulted';
  account: string;
  from: string;
  to: string;
  /** `timeZone` absent: UTC. */
  app: Omit<App, 'staticDocument' | 'timeZone'> & { timeZone?: string };
  offer: string;
  /** The INVITE, one character a byte, until our answer to it was acknowledged: another edge may need it. */
  invite?: { bytes: string; transport: string; sourceAddress: string };
  /** What tells a retransmitted INVITE from a merged request (RFC 3261 8.2.2.2). */
  origin: { topBranch: string; requestUri: string };
  arrivedAt: number;
  legs: Leg[];
  /** Set where an API client ordered the call: leg 0 is the callee's, which we ring. */
  outbound?: { ringTimeoutMs: number };
  /** The call that this one is, or is about to be, connected to. */
  peer?: { callId: string };
  /** The latest word of each other call, by its seq. */
  heard?: { [callId: string]: number };
  /** Living nodes assigned to this call. */
  media?: To;
  edge?: To;
  /** Highest fact learned, per `source/boot`. */
  seen: Record<string, number>;
  /** Requested and not yet answered, by seq. What must still be done, after a crash as before it. */
  outstanding: Record<number, CallEvent<Decided>>;
  /** The requests that the last event answered: an answer whose question is not among them came too late. */
  answered: CallEvent<Decided>[];
  timers: Record<number, { purpose: string; dueAt: number }>;
  recordings: Record<string, string>;
  flow: Flow;
  /** Idempotency keys of API orders already learned; the newest 100. */
  orders: string[];
  /** Set once somebody chose to end the call. */
  ending?: Ending;
  ended?: Ending & { at: number };
  /** The call as customers see it; absent where its beginning couldn't be read. */
  view?: PublicCall;
} & Helpers;

/** By its kind, the living node that serves the call. */
export type Helpers = { [K in HelperKind]?: To };

/** A call of which nothing is known yet. */
export function newCall(id: string): Call {
  return {
    id,
    seq: 0,
    at: 0,
    state: 'new',
    account: '',
    from: '',
    to: '',
    app: {
      appId: '',
      name: '',
      autoAnswer: false,
      callFlowUrl: '',
      callFlowMethod: 'GET',
      callFlowTimeoutMs: 0,
      maxCallLengthMs: 0,
    },
    offer: '',
    origin: { topBranch: '', requestUri: '' },
    arrivedAt: 0,
    legs: [],
    seen: {},
    outstanding: {},
    answered: [],
    timers: {},
    recordings: {},
    flow: { document: 0, documents: 0, frames: [], ahead: '', lastDigits: '' },
    orders: [],
  };
}

/** Nothing is left to do or to wait for: the call may be forgotten after a while. */
export function isSettled(call: Call): boolean {
  return (call.state === 'ended' || call.state === 'faulted') && Object.keys(call.outstanding).length === 0;
}

/** What a reporter's count means: the next fact, one that was learned before, or one with others missing before it. */
export function admission(call: Call, from: { source: string; boot: string; n: number }): 'next' | 'duplicate' | 'gap' {
  const expected = (call.seen[`${from.source}/${from.boot}`] ?? 0) + 1;
  return from.n === expected ? 'next' : from.n < expected ? 'duplicate' : 'gap';
}

export const outstandingOf = <T extends Decided['type']>(
  call: Call,
  type: T,
  match?: (e: Extract<CallEvent<Decided>, { type: T }>) => boolean,
) =>
  Object.values(call.outstanding).filter(
    (e): e is Extract<CallEvent<Decided>, { type: T }> =>
      e.type === type && (match?.(e as Extract<CallEvent<Decided>, { type: T }>) ?? true),
  );
