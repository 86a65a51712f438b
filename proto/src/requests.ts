/**
 * What each request means, a row each: who serves it, what it is about, what settles it, how long that may take, what the
 * call learns where nobody answers, and what becomes of it with its node. Every other table of requests derives from this
 * one, and a request without a row doesn't compile. It imports types of the events only, so that `domain/` may use it.
 */
import type { CallEvent, FactOf, FactType, Observed, ObservedType } from './events.ts';

export type RequestType = Extract<FactType, `${string}Requested`>;
export type RequestEvent<T extends RequestType = RequestType> = CallEvent<FactOf<T>>;

/** Kinds of nodes that are asked. Edge and media are a leg's; of each other kind a call has one node, its helper. */
export type NodeKind = 'media' | 'sip-edge' | HelperKind;
export type HelperKind = (typeof HELPERS)[number];
export const HELPERS = ['notifier'] as const;

export type RequestRow<T extends RequestType> = {
  /** `engine`: the flow engine itself, which finds nodes and tells other calls. */
  servedBy: NodeKind | 'engine';
  /** What it is about, and ends with: a leg's SIP dialog, a leg's media session, a bridge, or none of these. */
  scope: 'dialog' | 'session' | 'bridge' | 'none';
  /** Facts that settle it by naming it in `requestId`; `RequestFailed` settles any. What else ends one stands in the fold. */
  settledBy: readonly ObservedType[];
  /** Taken on and not settled for so long, ms, it was lost on the way, and has failed. */
  deadlineMs: number | ((request: FactOf<T>) => number);
  /** What the call learns where nobody will answer; `RequestFailed` where it is left out. */
  failsAs?: (request: RequestEvent<T>, reason: string) => Observed;
  /**
   * When the node dies that was asked:
   * `kept`: it stays as it is, for that node alone or for another that is found;
   * `chosen-anew`: it is over, and the same is chosen again for the node that takes over;
   * `with-leg`: another node is asked, unless the leg has ended;
   * `with-call`: another node is asked where the call goes on.
   */
  onNodeLoss: 'kept' | 'chosen-anew' | 'with-leg' | 'with-call';
};

/** It takes as long as what it asks for: a prompt, a conversation, a phone that rings. Verbs and the call's length bound it. */
const AS_LONG_AS_IT_TAKES = Number.POSITIVE_INFINITY;
/** A node on the same network. */
const SOON_MS = 5_000;
/** 64·T1 and some: a phone that doesn't answer a request of ours (RFC 3261 17.1.2.2). */
const PHONE_MS = 35_000;

const leg = (request: { leg: number; seq: number }) => ({ requestId: request.seq, leg: request.leg });

export const REQUESTS: { readonly [T in RequestType]: RequestRow<T> } = {
  NodeRequested: {
    servedBy: 'engine',
    scope: 'none',
    settledBy: ['NodeAssigned', 'NodeUnavailable'],
    deadlineMs: AS_LONG_AS_IT_TAKES, // its look-up says itself when it has waited enough
    onNodeLoss: 'with-call',
  },
  SessionRequested: {
    servedBy: 'media',
    scope: 'session',
    settledBy: ['SessionReady', 'SessionFailed'],
    deadlineMs: SOON_MS,
    failsAs: (request, reason) => ({ type: 'SessionFailed', ...leg(request), reason }),
    onNodeLoss: 'chosen-anew',
  },
  SessionChangeRequested: {
    servedBy: 'media',
    scope: 'session',
    settledBy: ['SessionChanged', 'SessionChangeFailed'],
    deadlineMs: SOON_MS,
    failsAs: (request, reason) => ({ type: 'SessionChangeFailed', ...leg(request), reason }),
    onNodeLoss: 'chosen-anew',
  },
  ReleaseRequested: {
    servedBy: 'media',
    scope: 'none', // it outlives the session that it gives back
    settledBy: ['SessionReleased'],
    deadlineMs: SOON_MS,
    onNodeLoss: 'kept', // a node that only seemed dead must still give its sessions back
  },
  PlayRequested: {
    servedBy: 'media',
    scope: 'session',
    settledBy: ['PlayFinished', 'PlayStopped', 'PlayFailed'],
    deadlineMs: AS_LONG_AS_IT_TAKES,
    failsAs: ({ seq }, reason) => ({ type: 'PlayFailed', requestId: seq, reason, detail: '' }),
    onNodeLoss: 'with-call',
  },
  PlayStopRequested: {
    servedBy: 'media',
    scope: 'session',
    settledBy: [],
    deadlineMs: SOON_MS,
    onNodeLoss: 'with-call',
  },
  RecordRequested: {
    servedBy: 'media',
    scope: 'session',
    settledBy: ['RecordFinished', 'RecordFailed'],
    deadlineMs: AS_LONG_AS_IT_TAKES,
    failsAs: ({ seq }, reason) => ({ type: 'RecordFailed', requestId: seq, reason }),
    onNodeLoss: 'with-call',
  },
  RecordStopRequested: {
    servedBy: 'media',
    scope: 'session',
    settledBy: [],
    deadlineMs: SOON_MS,
    onNodeLoss: 'with-call',
  },
  BridgeRequested: {
    servedBy: 'media',
    scope: 'bridge',
    settledBy: ['BridgeEnded'],
    deadlineMs: AS_LONG_AS_IT_TAKES,
    failsAs: ({ seq }, reason) => ({ type: 'BridgeEnded', requestId: seq, reason }),
    onNodeLoss: 'with-call',
  },
  BridgeStopRequested: {
    servedBy: 'media',
    scope: 'bridge',
    settledBy: [],
    deadlineMs: SOON_MS,
    onNodeLoss: 'with-call',
  },
  TranscriptRequested: {
    servedBy: 'media',
    scope: 'none', // a recording outlives its session
    settledBy: ['TranscriptReady', 'TranscriptFailed'],
    deadlineMs: 150_000, // a long recording, and a recogniser that is slow
    failsAs: ({ seq, recordingId }, reason) => ({ type: 'TranscriptFailed', requestId: seq, recordingId, reason }),
    onNodeLoss: 'kept', // the words are wanted however the call ended
  },
  DocumentRequested: {
    servedBy: 'notifier',
    scope: 'none',
    settledBy: ['DocumentFetched', 'DocumentFailed'],
    deadlineMs: ({ timeoutMs }) => timeoutMs + SOON_MS,
    failsAs: ({ seq }, reason) => ({ type: 'DocumentFailed', requestId: seq, reason, detail: '', status: 0 }),
    onNodeLoss: 'kept', // asked again once another notifier is assigned
  },
  RingRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: ['LegRang'],
    deadlineMs: SOON_MS,
    onNodeLoss: 'with-leg',
  },
  AnswerRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: ['LegAnswered', 'AnswerFailed'],
    deadlineMs: SOON_MS,
    onNodeLoss: 'with-leg',
  },
  DialRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: ['LegAnswered', 'DialFailed'],
    deadlineMs: AS_LONG_AS_IT_TAKES,
    failsAs: (request, reason) => ({ type: 'DialFailed', ...leg(request), status: 0, q850: 41, reason }),
    onNodeLoss: 'with-leg',
  },
  HangupRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: [], // by the end of its leg
    deadlineMs: PHONE_MS,
    onNodeLoss: 'with-leg',
  },
  OfferRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: ['OfferAccepted', 'OfferRefused'],
    deadlineMs: 75_000, // 491s and their waits included
    onNodeLoss: 'with-leg',
  },
  OfferAnswerRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: ['OfferAnswered'],
    deadlineMs: PHONE_MS,
    onNodeLoss: 'chosen-anew',
  },
  AdoptRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: ['LegAdopted'],
    deadlineMs: 10_000,
    failsAs: ({ leg: adopted }) => ({ type: 'LegEnded', leg: adopted, by: 'us', status: 0, q850: 41, reason: 'lost' }),
    onNodeLoss: 'chosen-anew',
  },
  LocationRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: ['LocationFound', 'LookUpFailed'],
    deadlineMs: SOON_MS,
    failsAs: ({ seq }) => ({ type: 'LookUpFailed', requestId: seq, reason: 'unavailable' }),
    onNodeLoss: 'with-leg',
  },
  GroupRequested: {
    servedBy: 'sip-edge',
    scope: 'dialog',
    settledBy: ['GroupFound', 'LookUpFailed'],
    deadlineMs: SOON_MS,
    failsAs: ({ seq }) => ({ type: 'LookUpFailed', requestId: seq, reason: 'unavailable' }),
    onNodeLoss: 'with-leg',
  },
  PeerJoinRequested: {
    servedBy: 'engine',
    scope: 'none',
    settledBy: ['PeerTold', 'PeerLeft'],
    deadlineMs: AS_LONG_AS_IT_TAKES, // it is told again until the other call's owner has learned it, five times
    failsAs: ({ seq, peerCallId }, reason) => ({ type: 'PeerLeft', peerCallId, peerSeq: 0, reason, requestId: seq }),
    onNodeLoss: 'with-call',
  },
  PeerLeaveRequested: {
    servedBy: 'engine',
    scope: 'none',
    settledBy: ['PeerTold'],
    deadlineMs: AS_LONG_AS_IT_TAKES,
    onNodeLoss: 'with-call',
  },
};

/** The row of a request; undefined of an event that asks for nothing. */
export function rowOf(type: FactType): RequestRow<RequestType> | undefined {
  return (REQUESTS as Partial<Record<FactType, unknown>>)[type] as RequestRow<RequestType> | undefined;
}

/** How long it may take once it was taken on, ms. */
export function deadlineOf(request: RequestEvent): number {
  const { deadlineMs } = rowOf(request.type)!;
  return typeof deadlineMs === 'number' ? deadlineMs : deadlineMs(request);
}

/** What the call learns where nobody will answer its request. */
export function failureOf(request: RequestEvent, reason: string): Observed {
  const failsAs = rowOf(request.type)!.failsAs;
  return failsAs?.(request, reason) ?? { type: 'RequestFailed', requestId: request.seq, reason };
}

/** The kind of helper that is asked; undefined where it is another's affair. */
export function helperOf(type: FactType): HelperKind | undefined {
  const servedBy = rowOf(type)?.servedBy;
  return HELPERS.find((kind) => kind === servedBy);
}

/** The requests whose rows are so. */
export function requestsThat(are: (row: RequestRow<RequestType>) => boolean): ReadonlySet<FactType> {
  return new Set((Object.keys(REQUESTS) as RequestType[]).filter((type) => are(rowOf(type)!)));
}
