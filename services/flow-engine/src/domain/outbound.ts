/**
 * A call that an API client ordered. Its leg 0 is the callee's: it is rung before anything of the flow runs, and the flow
 * speaks to it as to any caller once it has answered.
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { type Call, outstandingOf } from './call.ts';
import { acceptAnswer } from './media.ts';
import { cancelTimers, hangup } from './performer.ts';

/** The timer that ends the ringing. */
export const RING = 'ring';

/** What brings the callee to the line, and what follows where it can't be had. */
export function outbound(call: Call, event: CallEvent): Decided[] {
  if (!call.outbound || call.ending) return [];
  switch (event.type) {
    case 'SessionReady':
      if (event.leg !== 0 || call.legs[0]?.state !== 'preparing') return [];
      return call.edge ? dial(call) : lookForEdge(call);
    case 'NodeAssigned':
      return event.kind === 'sip-edge' && call.legs[0]?.state === 'preparing' ? dial(call) : [];
    case 'DialRequested':
      return event.leg === 0
        ? [{ type: 'TimerSet', purpose: RING, dueAt: event.at + call.outbound.ringTimeoutMs }]
        : [];
    case 'LegAnswered':
      return event.leg === 0
        ? [...cancelTimers(call, (purpose) => purpose === RING), ...acceptAnswer(call, 0, event.sdp)]
        : [];
    case 'SessionChangeFailed': // media can't take the callee's answer
      return event.leg === 0 && !call.legs[0]?.offer ? [hangup('callee', event.reason, 88)] : [];
    case 'TimerFired':
      return event.purpose === RING && call.legs[0]?.state === 'dialling' ? [hangup('callee', 'no-answer', 19)] : [];
    default:
      return [];
  }
}

/** Media first: the INVITE needs our offer. Nothing while the session is not there (yet, or any more). */
function dial(call: Call): Decided[] {
  const leg = call.legs[0];
  if (!leg?.session?.sdp) return [];
  const { account: accountId, from: fromUser } = call;
  return [{ type: 'DialRequested', leg: 0, target: leg.target, accountId, fromUser, sdp: leg.session.sdp }];
}

function lookForEdge(call: Call): Decided[] {
  const asked = outstandingOf(call, 'NodeRequested', (e) => e.kind === 'sip-edge').length > 0;
  return asked ? [] : [{ type: 'NodeRequested', kind: 'sip-edge', except: [] }];
}
