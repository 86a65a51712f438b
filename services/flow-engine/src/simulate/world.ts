/** What the nodes and the people of a simulated call would answer, and when. It keeps nothing between two events. */
import type { CallEvent, FactOf, Observed } from '@opentact/proto/events';
import { type Call, outstandingOf } from '../domain/call.ts';
import {
  dialled,
  homeOf,
  type Later,
  legEnded,
  membersOf,
  played,
  pressed,
  type RequestOf,
  recorded,
  served,
} from './choices.ts';
import type { Scenario } from './scenario.ts';

/** What the nodes would answer to a request, and when. */
export function respond(event: CallEvent, call: Call, scenario: Scenario, later: Later): void {
  const requestId = event.seq;
  switch (event.type) {
    case 'NodeRequested':
      return later(0, { type: 'NodeAssigned', requestId, kind: event.kind, node: event.kind, boot: 'simulated' });
    case 'SessionRequested':
      return later(1, { type: 'SessionReady', requestId, leg: event.leg, sdp: 'answer' });
    case 'SessionChangeRequested':
      return later(1, { type: 'SessionChanged', requestId, leg: event.leg, sdp: '', held: false });
    case 'ReleaseRequested':
      return released(event, call, later);
    case 'DocumentRequested':
      return served(event, call, scenario, later);
    case 'RingRequested':
      return later(1, { type: 'LegRang', requestId, leg: event.leg, status: event.sdp ? 183 : 180 });
    case 'AnswerRequested':
      if (scenario.hangupAfterMs !== undefined) later(1 + scenario.hangupAfterMs, legEnded(0, 'peer', 'bye'));
      later(2, { type: 'LegConfirmed', leg: 0, sdp: '' });
      return later(1, { type: 'LegAnswered', requestId, leg: 0, sdp: '' });
    case 'DialRequested':
      return dialled(event, call, scenario, later);
    case 'HangupRequested':
      return hungUp(event, call, later);
    case 'PlayRequested':
      return played(event, call, scenario, later);
    case 'VerbStarted':
      return pressed(event, call, scenario, later);
    case 'PlayStopRequested':
      return later(1, { type: 'PlayStopped', requestId: event.play, playedMs: 0 });
    case 'RecordRequested':
      return recorded(event, call, scenario, later);
    case 'DigitPressed':
      return stopped(event, call, later);
    case 'RecordStopRequested':
      return later(1, finished(call, event.record, '', 'stopped'));
    case 'TranscriptRequested':
      return later(200, { type: 'TranscriptReady', requestId, recordingId: event.recordingId, text: 'words' });
    case 'LocationRequested': {
      const home = homeOf(event, call, scenario);
      return later(1, home ? { type: 'LocationFound', requestId, ...home } : unknown(requestId));
    }
    case 'GroupRequested': {
      const targets = membersOf(event, scenario);
      return later(1, targets ? { type: 'GroupFound', requestId, targets } : unknown(requestId));
    }
    case 'BridgeRequested':
      return later(1, { type: 'BridgeStarted', requestId });
    case 'BridgeStopRequested':
      return later(1, { type: 'BridgeEnded', requestId: event.bridge, reason: 'stopped' });
    case 'TimerSet':
      return later(event.dueAt - event.at, { type: 'TimerFired', timerId: event.seq, purpose: event.purpose });
    default:
      return;
  }
}

const unknown = (requestId: number): Observed => ({ type: 'LookUpFailed', requestId, reason: 'unknown' });
const startOf = (call: Call, seq: number) => call.outstanding[seq]?.at ?? call.at;

/** A bridge ends with either of its sessions. */
function released(event: RequestOf<'ReleaseRequested'>, call: Call, later: Later): void {
  const { leg, seq: requestId } = event;
  const joined = outstandingOf(call, 'BridgeRequested', (e) => e.legA === leg || e.legB === leg);
  for (const { seq } of joined) later(1, { type: 'BridgeEnded', requestId: seq, reason: 'released' });
  later(1, { type: 'SessionReleased', requestId, leg });
}

/** BYE, a final answer to the caller's INVITE, or CANCEL, as the leg stands. */
function hungUp({ leg, status, q850, seq }: RequestOf<'HangupRequested'>, call: Call, later: Later): void {
  const isAnswered = (call.legs[leg]?.answeredAt ?? 0) > 0;
  if (isAnswered) return later(1, { type: 'LegEnded', leg, by: 'us', status: 0, q850, reason: 'bye' });
  if (leg === 0) return later(1, { type: 'LegEnded', leg, by: 'us', status, q850, reason: 'rejected' });
  later(1, { type: 'DialFailed', requestId: dialOf(call, leg) ?? seq, leg, status: 487, q850, reason: 'cancelled' });
}

const dialOf = (call: Call, leg: number) => outstandingOf(call, 'DialRequested', (e) => e.leg === leg)[0]?.seq;

/** Media ends a recording for a key that comes by RTP. */
function stopped(event: CallEvent<FactOf<'DigitPressed'>>, call: Call, later: Later): void {
  const isEnded = ({ leg, stopKeys }: RequestOf<'RecordRequested'>) =>
    leg === event.leg && stopKeys.includes(event.digit);
  for (const { seq, recordingId } of event.way ? [] : outstandingOf(call, 'RecordRequested', isEnded))
    later(1, finished(call, seq, recordingId, 'key'));
}

const finished = (call: Call, requestId: number, recordingId: string, reason: string) =>
  ({
    type: 'RecordFinished',
    ...{ requestId, recordingId, reason, durationMs: call.at - startOf(call, requestId) },
  }) as const;
