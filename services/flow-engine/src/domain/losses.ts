/**
 * What a call is after a node of it died, and after another took its place: the learning half of `recovery.ts`.
 * What was asked of the dead node stays asked, without an addressee until there is one.
 */
import type { CallEvent, Decided, FactOf, To } from '@opentact/proto/events';
import { HELPERS, type HelperKind, helperOf, rowOf } from '@opentact/proto/requests';
import type { Call, Leg } from './call.ts';
import { isForAnother } from './helpers.ts';
import { isOfSession } from './requests.ts';

type Outstanding = Call['outstanding'];
type Request = CallEvent<Decided>;

/** The dead node's dialogs are adrift and its sessions moving; its plans go on. */
export function loseNode(call: Call, lost: FactOf<'NodeLost'>): Call {
  if (!lost.recover) return voided(call, lost);
  const is = isNode(lost);
  const goesOn = call.state === 'live' && !call.ending;
  const legs = call.legs.map((leg, n): Leg => {
    let next = leg;
    if (is(leg.session?.node)) {
      const { session, moving: _, ...rest } = leg;
      const moves = goesOn && leg.state !== 'ended';
      const sdp = session!.sdp || session!.described;
      const moving = { stage: 'lost' as const, sdpVersion: session!.sdpVersion, ...(sdp && { sdp }) };
      next = moves ? { ...rest, moving } : rest;
    }
    if (!is(leg.edge) || leg.state === 'ended') return next;
    const { edge: _, offer, ...rest } = next;
    // The session was opened to answer that offer; now the peer must be told of it by one of ours.
    const isAnswer = offer && rest.session && !isChanging(call, n);
    const untold = isAnswer && { moving: { stage: 'untold' as const, sdpVersion: rest.session!.sdpVersion } };
    return { ...rest, ...untold, adrift: true };
  });
  const kept = readdress(call.outstanding, (request) => (is(request.to) && !isKept(request) ? 'nobody' : undefined));
  return without({ ...call, legs, outstanding: kept }, is);
}

/** A document is asked for anew once another notifier is assigned; a session given up is given back by its own node. */
export const isKept = (request: CallEvent) =>
  request.type === 'ReleaseRequested' ||
  (helperOf(request.type) !== undefined && rowOf(request.type)?.onNodeLoss === 'kept');

const isChanging = (call: Call, leg: number) =>
  Object.values(call.outstanding).some((e) => e.type === 'SessionChangeRequested' && e.leg === leg);

/** Version 1 of the loss: sessions, dialogs and asks of the dead node are over. */
function voided(call: Call, lost: To): Call {
  const is = isNode(lost);
  const legs = call.legs.map((leg) => ({
    ...leg,
    ...(is(leg.session?.node) ? { session: undefined } : {}),
    ...(is(leg.edge) ? { state: 'ended' as const } : {}),
  })) as Leg[];
  return without({ ...call, legs }, is);
}

const isNode = (lost: To) => (at?: To) => at?.node === lost.node && at.boot === lost.boot;

function without(call: Call, is: (at?: To) => boolean): Call {
  const next = { ...call };
  for (const kind of HELPERS) if (is(call[kind])) delete next[kind];
  if (is(call.media)) delete next.media;
  if (is(call.edge)) delete next.edge;
  return next;
}

/** Adrift, or dialled while there was no edge to dial it. */
const isWithoutEdge = (leg: Leg) => leg.adrift === true || (leg.state === 'dialling' && !leg.edge);

/** An edge takes over: what was asked of the lost one about legs adrift is asked of it, once it holds them. */
export function takeOver(call: Call, edge: To): Call {
  const legs = call.legs.map((leg): Leg => {
    if (!isWithoutEdge(leg)) return leg;
    const { adrift: _, ...rest } = leg;
    // Nothing to adopt before the callee answered: the INVITE goes out again as it was.
    return leg.state === 'dialling' ? { ...rest, edge } : { ...rest, adrift: true, edge };
  });
  const outstanding = readdress(call.outstanding, (request) =>
    !request.to && rowOf(request.type)?.servedBy === 'sip-edge' ? edge : undefined,
  );
  return { ...call, edge, legs, outstanding };
}

/** No edge is left: whatever was adrift is over. */
export function giveUpAdrift(call: Call): Call {
  const legs = call.legs.map((leg): Leg => (isWithoutEdge(leg) ? { ...leg, state: 'ended' } : leg));
  return { ...call, legs };
}

/** A session is asked of a node again: what the lost one was doing for the leg is asked of that node. */
export function reopen(call: Call, event: CallEvent<FactOf<'SessionRequested'>>): Call {
  const leg = call.legs[event.leg];
  if (!leg?.moving) return call;
  const { moving: _, ...rest } = leg;
  // A peer that waits for our answer hears of the new session by it; one that was never told anything needs no telling.
  const hears = leg.state === 'answering' || leg.state === 'answered' || leg.state === 'dialling' || leg.early === true;
  const told = !leg.offer && hears;
  const legs = [...call.legs];
  legs[event.leg] = told ? { ...rest, moving: { stage: 'untold', sdpVersion: event.sdpVersion } } : rest;
  const outstanding = readdress(call.outstanding, (request) =>
    !request.to && isOf(call, request, event.leg) ? event.to : undefined,
  );
  return { ...call, legs, outstanding };
}

/** A media node takes over: it is asked for the words of recordings that a lost one had not told yet. */
export const takeTranscripts = (call: Call, node: To): Call => ({
  ...call,
  outstanding: readdress(call.outstanding, (request) =>
    !request.to && request.type === 'TranscriptRequested' ? node : undefined,
  ),
});

/** A helper is found: what waited for one is asked of it. */
export const takeHelper = (call: Call, kind: HelperKind, node: To): Call => ({
  ...call,
  [kind]: node,
  outstanding: readdress(call.outstanding, (request) =>
    !request.to && isForAnother(request, kind) ? node : undefined,
  ),
});

/** A bridge goes where its first leg goes, and so does its end. */
function isOf(call: Call, request: Request, leg: number): boolean {
  if (request.type === 'BridgeRequested') return request.legA === leg;
  if (request.type !== 'BridgeStopRequested') return isOfSession(request, leg);
  const bridge = call.outstanding[request.bridge];
  return bridge?.type === 'BridgeRequested' && bridge.legA === leg;
}

function readdress(outstanding: Outstanding, to: (request: Request) => To | 'nobody' | undefined): Outstanding {
  const next: Outstanding = {};
  for (const request of Object.values(outstanding)) {
    const found = to(request);
    if (found === undefined) next[request.seq] = request;
    else if (found === 'nobody') {
      const { to: _, ...rest } = request;
      next[request.seq] = rest as Request;
    } else next[request.seq] = { ...request, to: found };
  }
  return next;
}
