/**
 * The fold: what a call is after one more event. It never chooses. What it does with an existing event is history:
 * changing it needs a new version of that event.
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import type { Call, Leg } from './call.ts';
import { evolveFlow } from './flow-state.ts';
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
  if (event.type.endsWith('Requested'))
    next.outstanding = { ...next.outstanding, [event.seq]: event as CallEvent<Decided> };
  next = learn(next, event);
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
      const { staticDocument: _, ...app } = event.app ?? { ...call.app, staticDocument: '' };
      const edge = event.from && { node: event.from.source, boot: event.from.boot };
      return {
        ...call,
        state: 'live',
        account: event.accountId,
        from: event.fromNumber,
        to: event.toNumber,
        app,
        offer: event.sdp,
        origin: { topBranch: event.topBranch, requestUri: event.requestUri },
        arrivedAt: event.at,
        ...(edge && { edge }),
        legs: [{ ...noLeg, state: 'arrived', ...(edge && { edge }) }],
      };
    }
    case 'NodeAssigned': {
      const node = { node: event.node, boot: event.boot };
      if (event.kind === 'media') return { ...call, media: node };
      if (event.kind === 'notifier') return { ...call, notifier: node };
      return { ...call, edge: node };
    }
    case 'SessionRequested': {
      const session = { node: event.to!, sdp: '', sdpVersion: event.sdpVersion };
      const grown = event.leg < call.legs.length ? call : { ...call, legs: [...call.legs, noLeg] };
      return withLeg(grown, event.leg, { session });
    }
    case 'SessionReady':
    case 'SessionChanged': {
      const session = call.legs[event.leg]?.session;
      if (!session) return call;
      const held = event.type === 'SessionChanged' ? { held: event.held } : {};
      return withLeg(call, event.leg, { session: { ...session, sdp: event.sdp || session.sdp }, ...held });
    }
    case 'OfferReceived': // a second one before the answer is refused (491) and leaves the first in place
      return call.legs[event.leg]?.offer === undefined ? withLeg(call, event.leg, { offer: event.transaction }) : call;
    case 'OfferAnswerRequested':
      return call.legs[event.leg]?.offer === event.transaction
        ? withLeg(call, event.leg, { offer: undefined } as Partial<Leg>)
        : call;
    case 'SessionChangeRequested': {
      const session = call.legs[event.leg]?.session;
      return session ? withLeg(call, event.leg, { session: { ...session, sdpVersion: event.sdpVersion } }) : call;
    }
    case 'SessionFailed':
    case 'ReleaseRequested': {
      // A leg that was never dialled ends with its session.
      const ended = call.legs[event.leg]?.state === 'preparing' ? { state: 'ended' } : {};
      return withLeg(call, event.leg, { session: undefined, ...ended } as Partial<Leg>);
    }
    case 'AnswerRequested':
      return withLeg(call, event.leg, { state: 'answering' });
    case 'DialRequested':
      return withLeg(call, event.leg, { state: 'dialling', target: event.target, ...(event.to && { edge: event.to }) });
    case 'LegRang':
      return withLeg(call, event.leg, { ringing: true });
    case 'LegAnswered':
      return call.legs[event.leg]?.state === 'ended'
        ? call
        : withLeg(call, event.leg, { state: 'answered', answeredAt: event.at });
    case 'LegEnded':
    case 'DialFailed':
      return withLeg(call, event.leg, { state: 'ended' });
    case 'RequestFailed': {
      const given = call.answered.find((r) => r.seq === event.requestId);
      return given?.type === 'HangupRequested' ? withLeg(call, given.leg, { state: 'ended' }) : call;
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
    case 'RecordRequested':
      return event.tag ? { ...call, recordings: { ...call.recordings, [event.tag]: event.recordingId } } : call;
    case 'HangupOrdered':
    case 'DocumentOrdered':
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

/** Everything a dead boot granted is void: sessions, dialogs, and the asks it can't answer any more. */
function loseNode(call: Call, lost: { kind: string; node: string; boot: string }): Call {
  const is = (at?: { node: string; boot: string }) => at?.node === lost.node && at.boot === lost.boot;
  const legs = call.legs.map((leg) => ({
    ...leg,
    ...(is(leg.session?.node) ? { session: undefined } : {}),
    ...(is(leg.edge) ? { state: 'ended' as const } : {}),
  })) as Leg[];
  const next = { ...call, legs };
  if (is(call.media)) delete next.media;
  if (is(call.notifier)) delete next.notifier;
  if (is(call.edge)) delete next.edge;
  return next;
}
