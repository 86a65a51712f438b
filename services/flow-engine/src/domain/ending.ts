/** How a call ends: who ended it, what is told to whom, and what is given back. */
import type { CallEvent, Decided, FactOf, Owner, To } from '@opentact/proto/events';
import { type Call, outstandingOf } from './call.ts';
import { leave } from './peer-words.ts';
import { hangup, hangupLeg } from './performer.ts';

/** The choices that end the call; empty where the event doesn't. */
export function ending(call: Call, event: CallEvent): Decided[] {
  switch (event.type) {
    case 'LegEnded':
      return event.leg === 0 ? finish(call, event.at, ownerOf(call, event)) : [];
    case 'DialFailed':
      return event.leg === 0 ? finish(call, event.at, call.ending ?? unreached(event)) : [];
    case 'SessionFailed': // whom we were to ring can't be rung
      return event.leg === 0 && call.outbound && call.legs[0]?.state === 'ended'
        ? finish(call, event.at, {
            owner: 'us',
            reason: event.reason === 'full' ? 'media-full' : 'media-lost',
            q850: 34,
          })
        : [];
    case 'HangupRequested': // nobody was rung yet, so nobody need be told
      return event.leg === 0 && call.ending && call.legs[0]?.state === 'preparing'
        ? finish(call, event.at, call.ending)
        : [];
    case 'NodeUnavailable': // its edge is gone, or never was, and no other lives to hold it
      return event.kind === 'sip-edge' && isOffTheWire(call.legs[0]?.state)
        ? finish(call, event.at, { owner: 'us', reason: 'edge-lost', q850: 41 })
        : [];
    case 'TimerFired':
      return event.purpose === 'max-length' && !call.ending ? [hangup('us', 'max-length', 31, 480)] : [];
    case 'MediaSilent':
      // A leg that still rings owes no audio.
      if (call.ending || call.legs[event.leg]?.held || call.legs[event.leg]?.state !== 'answered') return [];
      if (!isFromItsNode(call, event)) return []; // a lost node hears nothing, since nothing is sent there
      return event.leg === 0
        ? [hangup(partyOf(call), 'silent', 31, 480)]
        : [hangupLeg(event.leg, 'callee', 'silent', 31)];
    case 'HangupOrdered':
      if (call.ending) return [];
      return [event.unpaid ? hangup('us', event.unpaid, 31) : hangup('customer-server', 'api')];
    case 'RequestFailed': // nobody could be made to hang up: the call is over all the same
      if (!call.ending && call.answered[0]?.type === 'AnswerRequested') return [hangup('us', 'answer-failed', 41, 500)];
      if (!call.ending || outstandingOf(call, 'HangupRequested', (e) => e.leg === 0).length > 0) return [];
      return finish(call, event.at, call.ending);
    case 'CallFaulted':
      return [...unheard(call, event), ...finish(call, event.at, faultOf(event))];
    default:
      return [];
  }
}

/** A call that used up a budget was ended by what its document does; any other fault is ours. */
const faultOf = ({
  reason,
}: Extract<CallEvent, { type: 'CallFaulted' }>): { owner: Owner; reason: string; q850: number } =>
  reason.startsWith('budget: ')
    ? { owner: 'document', reason: 'budget', q850: 42 }
    : { owner: 'us', reason: 'fault', q850: 41 };

function isFromItsNode(call: Call, event: Extract<CallEvent, { type: 'MediaSilent' }>): boolean {
  const node = call.legs[event.leg]?.session?.node;
  return !event.from || (event.from.source === node?.node && event.from.boot === node.boot);
}

function ownerOf(
  call: Call,
  event: Extract<CallEvent, { type: 'LegEnded' }>,
): { owner: Owner; reason: string; q850: number } {
  if (call.ending && event.by === 'us') return call.ending;
  // An edge that leaves hangs up what it holds, and nobody asked it to.
  if (event.by === 'us' && event.reason === 'bye') return { owner: 'us', reason: 'shutdown', q850: event.q850 || 41 };
  const owner = event.reason === 'lost' ? 'us' : event.reason === 'transport' ? 'carrier' : partyOf(call);
  return { owner, reason: event.reason, q850: event.q850 || 16 };
}

/** Who is at the other end of leg 0. */
const partyOf = (call: Call): Owner => (call.outbound ? 'callee' : 'caller');

const UNREACHED: Record<string, Owner> = {
  busy: 'callee',
  'no-answer': 'callee',
  rejected: 'callee',
  cancelled: 'callee',
  redirected: 'callee',
  'not-found': 'carrier',
  unreachable: 'carrier',
};

/** Whose doing it is that nobody could be rung, or that who was rung didn't answer. */
const unreached = ({ reason, q850 }: FactOf<'DialFailed'>): { owner: Owner; reason: string; q850: number } => ({
  owner: UNREACHED[reason] ?? 'us',
  reason,
  q850: q850 || 41,
});

/** Everything else that this call holds is let go, and its last word is said. */
function finish(
  call: Call,
  at: number,
  { owner, reason, q850 }: { owner: Owner; reason: string; q850: number },
): Decided[] {
  const answeredAt = call.legs[0]?.answeredAt ?? 0;
  const durationMs = answeredAt > 0 ? at - answeredAt : 0;
  const legs = call.legs.flatMap((leg, n) => (isOnTheWire(leg.state) && n > 0 ? [hangupLeg(n, owner, reason)] : []));
  const sessions = call.legs.flatMap((leg, n) =>
    leg.session || leg.state === 'preparing' ? [{ type: 'ReleaseRequested', leg: n } as const] : [],
  );
  const caller = isOnTheWire(call.legs[0]?.state) ? [hangup(owner, reason, q850, 500)] : [];
  const peer = call.peer ? [leave(call.peer.callId, 'ended')] : [];
  return [...caller, ...legs, { type: 'CallEnded', owner, reason, q850, durationMs }, ...sessions, ...peer];
}

/** A call that faulted before it had a leg: the edge that reported it still owes the caller an answer. */
function unheard(call: Call, event: CallEvent): Decided[] {
  if (call.legs.length > 0 || !event.from) return [];
  return [{ ...hangup('us', 'fault', 41, 500), to: { node: event.from.source, boot: event.from.boot } }];
}

const isOffTheWire = (state?: string) => state === 'ended' || state === 'preparing';
const isOnTheWire = (state?: string) => state !== undefined && !isOffTheWire(state);

/**
 * What must be given back because of this event: the session of a leg that ended, and whatever a late answer grants
 * to a plan that is no more (architecture section 4).
 */
export function releases(call: Call, event: CallEvent): Decided[] {
  const over = call.state !== 'live';
  switch (event.type) {
    case 'SessionReady':
      return releaseUnwanted(call, event);
    case 'DialFailed':
    case 'LegEnded':
      return event.leg > 0 && call.legs[event.leg]?.session ? [{ type: 'ReleaseRequested', leg: event.leg }] : [];
    case 'LegAnswered': {
      // Whoever says so holds it, even where the leg is no longer thought to be its.
      const to = event.from && { to: { node: event.from.source, boot: event.from.boot } };
      if (event.leg === 0 && !call.outbound)
        return over ? [{ ...hangup('us', 'late'), status: 0, ...to } as Decided] : [];
      const closing = outstandingOf(call, 'HangupRequested', (e) => e.leg === event.leg);
      // A 200 that crossed our CANCEL, or came after we gave the leg up: it stands after all, and gets a BYE.
      const given = call.legs[event.leg]?.state === 'ended';
      return over || given || closing.length > 0 ? [{ ...hangupLeg(event.leg, 'us', 'late'), ...to }] : [];
    }
    default:
      return [];
  }
}

/** A session that came too late for its plan. Media answers the release whether or not it still has it. */
function releaseUnwanted(call: Call, event: Extract<CallEvent, { type: 'SessionReady' }>): Decided[] {
  const leg = call.legs[event.leg];
  const to = event.from && { node: event.from.source, boot: event.from.boot };
  const isThere = (at?: To) => !to || (at?.node === to.node && at.boot === to.boot);
  // One that was lost may still describe a session; the leg's is at another node by now.
  if (call.state === 'live' && leg?.session && leg.state !== 'ended' && isThere(leg.session.node)) return [];
  const asked = outstandingOf(call, 'ReleaseRequested', (e) => e.leg === event.leg && isThere(e.to));
  return asked.length > 0 ? [] : [{ type: 'ReleaseRequested', leg: event.leg, ...(to && { to }) }];
}
