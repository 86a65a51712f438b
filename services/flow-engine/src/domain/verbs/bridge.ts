/**
 * Bridge: no element of the language, but what an order by API puts into the flow: the call is connected to another until
 * one of them leaves. Then its flow goes on behind whatever ran when it was connected.
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import type { Call, Memory, Running } from '../call.ts';
import type { Bridge } from '../language/verb.ts';
import { leave, moveBeside, parting } from '../peer-words.ts';
import { end, type Performer } from '../performer.ts';

/** How long the other call may take to be ready: a re-INVITE that nobody answers takes 32 s. */
const READY_MS = 40_000;
/** How often a bridge is tried before the other call is given up. */
const ATTEMPTS_MAX = 3;
const TIMER = 'bridge';

export const bridgePerformer: Performer<Bridge> = {
  needs: 'answer',
  begin: (bridge, call, _running, at) => (bridge.hosts ? meet(bridge, call, at) : [inReadyTime(at)]),
  learn,
  on: (event, bridge, call, running) => (bridge.hosts ? host : guest)(event, bridge, call, running),
};

function learn(memory: Memory, event: CallEvent): Memory {
  switch (event.type) {
    case 'TimerSet':
      return event.purpose === TIMER ? { ...memory, timer: event.seq } : memory;
    case 'TimerCancelled':
      return event.timerId === memory.timer ? { ...memory, timer: 0 } : memory;
    case 'BridgeRequested':
      return { ...memory, bridge: event.seq, attempt: (memory.attempt ?? 0) + 1 };
    default:
      return memory;
  }
}

const inReadyTime = (at: number): Decided => ({ type: 'TimerSet', purpose: TIMER, dueAt: at + READY_MS });

/** The other call is asked to come where we are, within its time. */
const meet = (bridge: Bridge, call: Call, at: number): Decided[] => [inReadyTime(at), ...join(bridge, call)];

/** The word to the other call: where our session is. */
function join(bridge: Bridge, call: Call): Decided[] {
  const at = call.legs[0]?.session?.node;
  return at ? [{ type: 'PeerJoinRequested', peerCallId: bridge.peer, ...at, hosts: bridge.hosts }] : [];
}

function host(event: CallEvent, bridge: Bridge, call: Call, running: Running): Decided[] {
  switch (event.type) {
    case 'PeerJoined':
      if (event.peerCallId !== bridge.peer) return [];
      return [
        ...inTime(call, running),
        { type: 'BridgeRequested', legA: 0, legB: 0, recordingId: '', callB: bridge.peer },
      ];
    case 'SessionReady': // our media died; the other call comes where ours went, and the bridge is made again
      if (event.leg !== 0) return [];
      return [...inTime(call, running), ...meet(bridge, call, event.at)];
    case 'BridgeEnded': // while the other is on its way to where we are, there is none to lose
      if (event.requestId !== running.memory.bridge || call.timers[running.memory.timer ?? 0]) return [];
      // The other is not where we are: it is asked once more to come.
      if (event.reason === 'lost' && (running.memory.attempt ?? 0) < ATTEMPTS_MAX) return meet(bridge, call, event.at);
      return [...parting(call, 'bridge-ended'), end(running, true, 'bridge-ended')];
    default:
      return either(event, bridge, call, running);
  }
}

function guest(event: CallEvent, bridge: Bridge, call: Call, running: Running): Decided[] {
  // The host has moved, or doesn't find us where it is.
  const isCalled = event.type === 'PeerJoined' && event.hosts && event.peerCallId === bridge.peer;
  if (isCalled && call.legs[0]?.session && !call.legs[0].moving) return moveBeside(call, event);
  // The phone knows where its audio goes now: we are ready.
  if (event.type === 'OfferAccepted' && event.leg === 0) return [...inTime(call, running), ...join(bridge, call)];
  return either(event, bridge, call, running);
}

function either(event: CallEvent, bridge: Bridge, call: Call, running: Running): Decided[] {
  if (event.type === 'PeerLeft' && event.peerCallId === bridge.peer) {
    const isFailure = event.requestId > 0 || running.memory.timer !== 0;
    return [...inTime(call, running), ...parting(call, ''), end(running, !isFailure, event.reason || 'peer-left')];
  }
  if (event.type === 'TimerFired' && event.timerId === running.memory.timer)
    return [leave(bridge.peer, 'unready'), end(running, false, 'peer-unready')];
  return [];
}

function inTime(call: Call, running: Running): Decided[] {
  const { timer } = running.memory;
  return timer && call.timers[timer] ? [{ type: 'TimerCancelled', timerId: timer }] : [];
}
