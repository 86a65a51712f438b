/**
 * Which events were observed, not chosen, and who may say so: a node that reports to the engine, or the engine itself. An
 * observation without a row doesn't compile. It imports types of the events only, so that `domain/` may use it.
 */
import type { CallEvent, Fact, Observed, ObservedType } from './events.ts';

export const OBSERVATIONS: { readonly [T in ObservedType]: 'node' | 'engine' } = {
  CallArrived: 'node',
  NodeAssigned: 'engine',
  NodeUnavailable: 'engine',
  NodeLost: 'engine',
  SessionReady: 'node',
  SessionFailed: 'node',
  SessionChanged: 'node',
  SessionChangeFailed: 'node',
  SessionReleased: 'node',
  MediaSilent: 'node',
  DocumentFetched: 'node',
  DocumentFailed: 'node',
  LegRang: 'node',
  LegAnswered: 'node',
  LegConfirmed: 'node',
  AnswerFailed: 'node',
  DialFailed: 'node',
  LegEnded: 'node',
  OfferReceived: 'node',
  OfferAnswered: 'node',
  OfferAccepted: 'node',
  OfferRefused: 'node',
  PlayFinished: 'node',
  PlayStopped: 'node',
  PlayFailed: 'node',
  DigitPressed: 'node',
  RecordFinished: 'node',
  RecordFailed: 'node',
  BridgeStarted: 'node',
  BridgeEnded: 'node',
  TimerFired: 'engine',
  HangupOrdered: 'engine',
  DocumentOrdered: 'engine',
  RequestFailed: 'engine',
  LegAdopted: 'node',
  TranscriptReady: 'node',
  TranscriptFailed: 'node',
  LocationFound: 'node',
  GroupFound: 'node',
  LookUpFailed: 'node',
  CallOrdered: 'engine',
  BridgeOrdered: 'engine',
  PeerJoined: 'engine',
  PeerLeft: 'engine',
  PeerTold: 'engine',
  CallFaulted: 'engine',
};

/** Is this a fact that was observed, not chosen? */
export function isObserved(event: Fact | CallEvent): event is Observed {
  return Object.hasOwn(OBSERVATIONS, event.type);
}

/** May a node report it? */
export const isReportable = (event: Fact | CallEvent): boolean =>
  isObserved(event) && OBSERVATIONS[event.type] === 'node';
