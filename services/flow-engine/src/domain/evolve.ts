/**
 * The fold: what a call is after one more event. It never chooses. What it does with an existing event is history:
 * changing it needs a new version of that event.
 */
import { foldCall } from '@opentact/proto/call-view';
import type { App, CallEvent, Decided, FactOf, To } from '@opentact/proto/events';
import type { HelperKind } from '@opentact/proto/requests';
import type { Call, Leg } from './call.ts';
import { evolveFlow } from './flow-state.ts';
import { isOtherWay, wayOfKeys } from './keys.ts';
import { giveUpAdrift, loseNode, reopen, takeHelper, takeOver, takeTranscripts } from './losses.ts';
import { learnPeer } from './peer-words.ts';
import { textOf } from './recovery.ts';
import { settledBy } from './requests.ts';

const ORDERS_MAX = 100;

/** The call after the event. */
export function evolve(call: Call, event: CallEvent): Call {
  let next: Call = { ...call, seq: event.seq, at: event.at };
  if (event.from) {
    const source = `${event.from.source}/${event.from.boot}`;
    next.seen = { ...call.seen, [source]: event.from.n };
  }
  next.answered = settledBy(call, event);
  if (next.answered.length > 0) {
    next.outstanding = { ...call.outstanding };
    for (const { seq } of next.answered) delete next.outstanding[seq];
  }
  // A session that is lost and not yet asked for anew needs no giving back, nor a leg that was never dialled a hang-up.
  const isMoot =
    (event.type === 'ReleaseRequested' && !event.to) ||
    (event.type === 'HangupRequested' && call.legs[event.leg]?.state === 'preparing');
  if (event.type.endsWith('Requested') && !isMoot)
    next.outstanding = { ...next.outstanding, [event.seq]: event as CallEvent<Decided> };
  const view = foldCall(call.view, event).call;
  if (view !== call.view) next.view = view;
  next = learnPeer(learn(next, event), event);
  if (isOtherWay(next, event)) return next;
  const flow = evolveFlow(next, event);
  return flow === next.flow ? next : { ...next, flow };
}

function withLeg(call: Call, leg: number, change: Partial<Leg>): Call {
  const old = call.legs[leg];
  if (!old) return call;
  const legs = [...call.legs];
  legs[leg] = { ...old, ...change };
  return { ...call, legs };
}

const noLeg: Leg = { state: 'preparing', ringing: false, answeredAt: 0, held: false, target: '' };

function learn(call: Call, event: CallEvent): Call {
  switch (event.type) {
    case 'CallArrived': {
      if (call.state !== 'new') return call; // it began before: an edge that took it over heard the INVITE again
      const edge = event.from && { node: event.from.source, boot: event.from.boot };
      return {
        ...begun(call, event),
        offer: event.sdp,
        origin: { topBranch: event.topBranch, requestUri: event.requestUri },
        invite: { bytes: textOf(event.invite), transport: event.transport, sourceAddress: event.sourceAddress },
        ...(edge && { edge }),
        legs: [{ ...noLeg, state: 'arrived', ...(edge && { edge }), ...mediaOf(event) }],
      };
    }
    case 'CallOrdered':
      if (call.state !== 'new') return call; // ordered again under the same key
      return {
        ...begun(call, event),
        outbound: { ringTimeoutMs: event.ringTimeoutMs },
        legs: [{ ...noLeg, target: event.target }],
        orders: [event.idempotencyKey],
      };
    case 'NodeAssigned': {
      if (call.answered.length === 0) return call; // nobody asks any more
      const node = { node: event.node, boot: event.boot };
      if (event.kind === 'media') return takeTranscripts({ ...call, media: node }, node);
      return event.kind === 'sip-edge' ? takeOver(call, node) : takeHelper(call, event.kind as HelperKind, node);
    }
    case 'NodeUnavailable':
      return event.kind === 'sip-edge' ? giveUpAdrift(call) : call;
    case 'SessionRequested': {
      const described = event.described && { described: event.described };
      const session = { node: event.to!, sdp: '', sdpVersion: event.sdpVersion, request: event.seq, ...described };
      const grown = event.leg < call.legs.length ? call : { ...call, legs: [...call.legs, noLeg] };
      // It moves by our own will: the peer is to hear of it by an offer.
      const moved = event.beside ? { moving: { stage: 'untold' as const, sdpVersion: event.sdpVersion } } : {};
      return withLeg(reopen(grown, event), event.leg, { session, ...moved });
    }
    case 'SessionReady':
    case 'SessionChanged': {
      const session = call.legs[event.leg]?.session;
      // A node that was lost and still speaks describes a session that is no longer the leg's.
      if (!session || (event.from && !isFrom(event.from, session.node))) return call;
      const held = event.type === 'SessionChanged' ? { held: event.held } : {};
      return withLeg(call, event.leg, { session: { ...session, sdp: event.sdp || session.sdp }, ...held });
    }
    case 'OfferReceived': {
      // A second one before the answer is refused (491) and leaves the first in place.
      const heard = event.dialog ? withLeg(call, event.leg, { dialog: event.dialog }) : call;
      const offer = { transaction: event.transaction, sdp: event.sdp };
      return call.legs[event.leg]?.offer === undefined ? withLeg(heard, event.leg, { offer }) : heard;
    }
    case 'OfferRequested':
      return withMoving(call, event.leg, 'telling');
    case 'OfferAccepted':
      return event.dialog ? withLeg(call, event.leg, { dialog: event.dialog }) : call;
    case 'AdoptRequested':
      return withLeg(call, event.leg, { adrift: undefined } as Partial<Leg>);
    case 'LegConfirmed':
      return event.leg === 0 ? confirmed(call) : call;
    case 'OfferAnswerRequested':
      return call.legs[event.leg]?.offer?.transaction === event.transaction
        ? withLeg(call, event.leg, { offer: undefined } as Partial<Leg>)
        : call;
    case 'SessionChangeRequested': {
      const { session, moving } = call.legs[event.leg] ?? {};
      const told = moving?.stage === 'telling' && !event.isOffer ? { moving: undefined } : {};
      const change = { ...told, ...(session && { session: { ...session, sdpVersion: event.sdpVersion } }) };
      return withLeg(call, event.leg, change as Partial<Leg>);
    }
    case 'SessionFailed':
    case 'ReleaseRequested': {
      if (event.type === 'SessionFailed' && call.answered.length === 0) return call; // nobody asks any more
      // What the lost node still holds is not the session that the leg waits for.
      if (event.type === 'ReleaseRequested' && event.to && !isOfLeg(call.legs[event.leg], event.to)) return call;
      // A leg that was never dialled ends with its session.
      const ended = call.legs[event.leg]?.state === 'preparing' ? { state: 'ended' } : {};
      const change = { session: undefined, moving: undefined, ...ended };
      return withLeg(call, event.leg, change as Partial<Leg>);
    }
    case 'AnswerRequested':
      return withLeg(call, event.leg, { state: 'answering' });
    case 'DialRequested':
      return withLeg(call, event.leg, { state: 'dialling', target: event.target, ...(event.to && { edge: event.to }) });
    case 'RingRequested':
      return event.sdp ? withLeg(call, event.leg, { early: true }) : call;
    case 'DigitPressed':
      return pressed(call, event);
    case 'LegRang':
      return withLeg(call, event.leg, { ringing: true, ...mediaOf(event) });
    case 'LegAnswered':
      return call.legs[event.leg]?.state === 'ended'
        ? call
        : withLeg(call, event.leg, {
            state: 'answered',
            answeredAt: event.at,
            ...answerOf(call, event),
            ...mediaOf(event),
          });
    case 'LegEnded':
    case 'DialFailed':
      return over(call, event.leg);
    case 'RequestFailed': {
      const given = call.answered.find((r) => r.seq === event.requestId);
      return given?.type === 'HangupRequested' ? over(call, given.leg) : call;
    }
    case 'NodeLost':
      return loseNode(call, event);
    case 'HangupRequested':
      if (event.leg !== 0 || call.ending) return call;
      return { ...call, ending: { owner: event.owner as 'us', reason: event.reason, q850: event.q850 } };
    case 'TimerSet':
      return { ...call, timers: { ...call.timers, [event.seq]: { purpose: event.purpose, dueAt: event.dueAt } } };
    case 'TimerFired':
    case 'TimerCancelled': {
      const { [event.timerId]: _, ...timers } = call.timers;
      return { ...call, timers };
    }
    case 'RecordFinished':
      return event.reason === 'key' ? recordEnded(call, event.at) : call;
    case 'RecordRequested':
      return event.tag ? { ...call, recordings: { ...call.recordings, [event.tag]: event.recordingId } } : call;
    case 'HangupOrdered':
    case 'DocumentOrdered':
    case 'BridgeOrdered':
      return { ...call, orders: [...call.orders, event.idempotencyKey].slice(-ORDERS_MAX) };
    case 'CallEnded': {
      const ended = { owner: event.owner as 'us', reason: event.reason, q850: event.q850, at: event.at };
      return { ...call, state: call.state === 'faulted' ? 'faulted' : 'ended', ended, timers: {} };
    }
    case 'CallFaulted':
      return call.ended ? call : { ...call, state: 'faulted', timers: {} };
    default:
      return call;
  }
}

function pressed(call: Call, event: CallEvent<FactOf<'DigitPressed'>>): Call {
  const way = wayOfKeys(call, event);
  return way.keys === undefined ? call : withLeg(call, event.leg, way);
}

/** Media ended a recording for a key. Where that came by INFO before, what came by RTP was the second. */
function recordEnded(call: Call, at: number): Call {
  const request = call.answered.find((r) => r.type === 'RecordRequested');
  const isFirst = call.flow.running?.memory.key === undefined;
  return request?.type === 'RecordRequested' && isFirst ? withLeg(call, request.leg, { recordEndedAt: at }) : call;
}

/** What the first event of a call tells, whichever way it goes. */
const begun = (call: Call, event: CallEvent<FactOf<'CallArrived' | 'CallOrdered'>>): Call => ({
  ...call,
  state: 'live',
  account: event.accountId,
  from: event.fromNumber,
  to: event.toNumber,
  app: appOf(call, event.app),
  arrivedAt: event.at,
});

/** What a call keeps of its app: everything but the document, which is kept parsed. */
function appOf(call: Call, given: App | undefined): Call['app'] {
  const { staticDocument: _, timeZone, ...app } = given ?? { ...call.app, staticDocument: '' };
  return { ...app, ...(timeZone && { timeZone }) };
}

/** Where the edge says that the leg's media may come from; nothing in stories from before it was told. */
const mediaOf = ({ media }: FactOf<'CallArrived' | 'LegRang' | 'LegAnswered'>): Partial<Leg> =>
  media ? { media } : {};

/** Is the session at that node the leg's, or the leg's to come? */
function isOfLeg(leg: Leg | undefined, to: To): boolean {
  if (leg?.moving?.stage === 'lost') return false;
  return !leg?.session || (leg.session.node.node === to.node && leg.session.node.boot === to.boot);
}

const isFrom = (from: { source: string; boot: string }, node: To) =>
  from.source === node.node && from.boot === node.boot;

function withMoving(call: Call, leg: number, stage: 'untold' | 'telling'): Call {
  const moving = call.legs[leg]?.moving;
  return moving ? withLeg(call, leg, { moving: { ...moving, stage } }) : call;
}

/** What another edge would need to go on with an answered leg. */
function answerOf(call: Call, event: CallEvent<FactOf<'LegAnswered'>>): Partial<Leg> {
  const asked = call.answered.find((r) => r.type === 'AnswerRequested');
  return {
    ...(event.dialog && { dialog: event.dialog }),
    ...(asked?.type === 'AnswerRequested' && { unconfirmed: { answer: asked.seq, sdp: asked.sdp } }),
  };
}

/** The caller has our answer: nobody need send it again. */
function confirmed(call: Call): Call {
  const { invite: _, ...rest } = call;
  return withLeg(rest, 0, { unconfirmed: undefined } as Partial<Leg>);
}

/** The leg is over on the wire; what would keep its dialog alive elsewhere is no longer wanted. */
function over(call: Call, leg: number): Call {
  const none = { dialog: undefined, unconfirmed: undefined, moving: undefined, adrift: undefined };
  const ended = withLeg(call, leg, { state: 'ended', ...none } as unknown as Partial<Leg>);
  if (leg !== 0) return ended;
  const { invite: _, ...rest } = ended;
  return rest;
}
