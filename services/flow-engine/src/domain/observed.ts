/** Which events the world may report. The opposite list, what we choose, is a type only: nothing asks for it. */
import type { CallEvent, Fact, Observed, ObservedType } from '@opentact/proto/events';

const OBSERVED: { [T in ObservedType]: true } = {
  CallArrived: true,
  NodeAssigned: true,
  NodeUnavailable: true,
  NodeLost: true,
  SessionReady: true,
  SessionFailed: true,
  SessionChanged: true,
  SessionChangeFailed: true,
  SessionReleased: true,
  MediaSilent: true,
  DocumentFetched: true,
  DocumentFailed: true,
  LegRang: true,
  LegAnswered: true,
  LegConfirmed: true,
  AnswerFailed: true,
  DialFailed: true,
  LegEnded: true,
  OfferReceived: true,
  OfferAnswered: true,
  OfferAccepted: true,
  OfferRefused: true,
  PlayFinished: true,
  PlayStopped: true,
  PlayFailed: true,
  DigitPressed: true,
  RecordFinished: true,
  RecordFailed: true,
  BridgeStarted: true,
  BridgeEnded: true,
  TimerFired: true,
  HangupOrdered: true,
  DocumentOrdered: true,
  RequestFailed: true,
  LegAdopted: true,
  TranscriptReady: true,
  TranscriptFailed: true,
  LocationFound: true,
  GroupFound: true,
  LookUpFailed: true,
  CallOrdered: true,
  BridgeOrdered: true,
  PeerJoined: true,
  PeerLeft: true,
  PeerTold: true,
};

/** Observed by the engine itself: no node may report these. */
const OUR_OWN = new Set<CallEvent['type']>([
  'NodeAssigned',
  'NodeUnavailable',
  'NodeLost',
  'TimerFired',
  'HangupOrdered',
  'DocumentOrdered',
  'RequestFailed',
  'CallOrdered',
  'BridgeOrdered',
  'PeerJoined',
  'PeerLeft',
  'PeerTold',
]);

/** May a node report it? */
export const isReportable = (event: CallEvent): boolean => isObserved(event) && !OUR_OWN.has(event.type);

/** Is this a fact that was observed, not chosen? */
export function isObserved(event: Fact | CallEvent): event is Observed {
  return event.type in OBSERVED;
}
