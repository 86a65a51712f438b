/** Which requests an event answers, for the fold, the dispatcher and the laws alike; what a request means stands in its row. */
import type { CallEvent, Decided, FactOf } from '@opentact/proto/events';
import { requestsThat, rowOf } from '@opentact/proto/requests';
import type { Call } from './call.ts';
import { isForAnother } from './helpers.ts';

/** The outstanding requests that this event answers, whether by name or because their object is gone. */
export function settledBy(call: Call, event: CallEvent): CallEvent<Decided>[] {
  // A media node that only seemed dead may still speak of what another was asked for since.
  if (isOfAnother(call, event)) return [];
  const settled: CallEvent<Decided>[] = [];
  const named = 'requestId' in event ? event.requestId : 0;
  for (const request of Object.values(call.outstanding))
    if (answers(call, event, named, request)) settled.push(request);
  return settled;
}

function answers(call: Call, event: CallEvent, named: number, request: CallEvent): boolean {
  if (named === request.seq && isSettledBy(request, event)) return true;
  switch (event.type) {
    case 'RequestFailed': // nobody will say that it ended, so nobody will answer what lay in it either
      return isLostWith(call, request, call.outstanding[named]);
    case 'LegEnded': // the wire side of the leg is over: nothing more can be asked of it
      return 'leg' in request && request.leg === event.leg && OF_THE_DIALOG.has(request.type);
    case 'DialFailed':
      return request.type === 'HangupRequested' && request.leg === event.leg;
    case 'SessionFailed': // what a lost session was doing has nowhere to go
    case 'SessionReleased': // whatever the session did ended with it
      return isOfSession(request, event.leg) && isGivenUpWith(call, request, call.outstanding[named], event.leg);
    case 'PlayFinished':
    case 'PlayStopped':
    case 'PlayFailed':
      return request.type === 'PlayStopRequested' && request.play === named;
    case 'RecordFinished':
    case 'RecordFailed':
      return request.type === 'RecordStopRequested' && request.record === named;
    case 'BridgeEnded':
      return request.type === 'BridgeStopRequested' && request.bridge === named;
    case 'DocumentRequested': // asked again of another notifier
      return request.type === 'DocumentRequested' && request.idempotencyKey === event.idempotencyKey;
    case 'NodeLost':
      return request.to?.node === event.node && request.to.boot === event.boot && isVoid(call, event, request);
    case 'NodeUnavailable': // nobody is left to ask about what was adrift
      if (event.kind === 'media') return !request.to && request.type === 'TranscriptRequested';
      if (isForAnother(request, event.kind)) return !request.to;
      return event.kind === 'sip-edge' && !request.to && (OF_THE_DIALOG.has(request.type) || isEdgeLookUp(request));
    case 'CallEnded': // what waited for a session that will not come
      if (request.type === 'PeerJoinRequested') return true;
      return !request.to && (OF_THE_SESSION.has(request.type) || OF_A_BRIDGE.has(request.type));
    default:
      return false;
  }
}

/** Does the event, which names the request, settle it? */
const isSettledBy = (request: CallEvent, event: CallEvent): boolean =>
  event.type === 'RequestFailed' ||
  (rowOf(request.type)?.settledBy as string[] | undefined)?.includes(event.type) === true;

/** Does a media node speak of what is not, or no longer, asked of it? */
export function isOfAnother(call: Call, event: CallEvent): boolean {
  const { from } = event;
  const asked = 'requestId' in event ? call.outstanding[event.requestId] : undefined;
  // That nobody answers is said by the engine, whoever was asked.
  if (!from || !asked || event.type === 'RequestFailed' || rowOf(asked.type)?.servedBy !== 'media') return false;
  // Without an addressee it waits for one: whoever had it is lost.
  return from.source !== asked.to?.node || from.boot !== asked.to.boot;
}

/** Requests about a leg's SIP dialog. */
export const OF_THE_DIALOG = requestsThat(({ scope }) => scope === 'dialog');
const OF_THE_SESSION = requestsThat(({ scope }) => scope === 'session');
const OF_A_BRIDGE = requestsThat(({ scope }) => scope === 'bridge');

const isEdgeLookUp = (request: CallEvent) => request.type === 'NodeRequested' && request.kind === 'sip-edge';

/** Ends this request of a node with the node, or does another take it over? Documents are asked for again elsewhere. */
function isVoid(call: Call, lost: CallEvent<FactOf<'NodeLost'>>, request: CallEvent): boolean {
  if (request.type === 'DocumentRequested') return false;
  if (!lost.recover) return true; // version 1
  switch (rowOf(request.type)?.onNodeLoss) {
    case 'kept':
      return false;
    case 'chosen-anew':
      return true;
    case 'with-leg':
      return !('leg' in request) || (call.legs[request.leg]?.state ?? 'ended') === 'ended';
    default:
      return call.state !== 'live' || call.ending !== undefined;
  }
}

/**
 * A session given back takes along only what was asked of that node, and nothing where the node has opened another one
 * for the leg since.
 */
function isGivenUpWith(call: Call, request: CallEvent, by: CallEvent | undefined, leg: number): boolean {
  if (by === undefined) return true;
  const isNewer = by.type === 'ReleaseRequested' && (call.legs[leg]?.session?.request ?? 0) > by.seq;
  return !isNewer && request.to?.node === by.to?.node && request.to?.boot === by.to?.boot;
}

/** Does a request that can't be met any more take this one with it? */
function isLostWith(call: Call, request: CallEvent, failed: CallEvent | undefined): boolean {
  if (failed?.type === 'ReleaseRequested')
    return isOfSession(request, failed.leg) && isGivenUpWith(call, request, failed, failed.leg);
  return (
    failed?.type === 'HangupRequested' &&
    'leg' in request &&
    request.leg === failed.leg &&
    OF_THE_DIALOG.has(request.type)
  );
}

/** Is it asked of the leg's session? */
export function isOfSession(request: CallEvent, leg: number): boolean {
  if (request.type === 'BridgeRequested') return request.legA === leg || request.legB === leg;
  return 'leg' in request && request.leg === leg && OF_THE_SESSION.has(request.type);
}

/** Events that name a request without ending it. */
const PROGRESS = new Set<CallEvent['type']>(['LegRang', 'BridgeStarted', 'DocumentAccepted', 'DocumentRejected']);

/** Is this an answer whose question is no longer open? It changes no plan; what it grants is released at once. */
export function isStale(call: Call, event: CallEvent): boolean {
  return 'requestId' in event && event.requestId > 0 && call.answered.length === 0 && !PROGRESS.has(event.type);
}
