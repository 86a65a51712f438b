/**
 * Dial: rings its targets in parallel. The first `LegAnswered` in the journal wins; every other leg gets a CANCEL, or
 * a BYE if it answered. When the callee hangs up, the flow goes on; when the caller does, every leg is released.
 */
import type { CallEvent, Decided, FactOf } from '@opentact/proto/events';
import type { Call, Leg, Memory, Running } from '../call.ts';
import type { Dial, Target } from '../language/verb.ts';
import { acceptAnswer, answer } from '../media.ts';
import { end, fail, hangup, hangupLeg, type Performer } from '../performer.ts';
import { recordsDialled } from '../record-calls.ts';
import { GROUP, TARGETS_MAX } from './dial-syntax.ts';
import { recordingIdOf } from './record.ts';

export const dialPerformer: Performer<Dial> = {
  needs: 'nothing',
  begin: (dial, call, _running, at) => [
    ...call.legs.flatMap((leg, n) => (n > 0 ? letGo(n, leg, 'replaced') : [])), // whom an order kept connected
    ...sessions(call, callable(dial).length),
    ...dial.targets.filter(isGroup).map(({ uri }): Decided => lookUp(call, uri)),
    { type: 'TimerSet', purpose: 'dial', dueAt: at + dial.timeoutMs },
  ],
  learn,
  on: (event, dial, call, running) => {
    switch (event.type) {
      case 'SessionReady':
        if (event.leg === 0) return running.memory.winner === undefined ? [] : answer(call);
        // A leg that was dialled already got this session in the place of one that was lost.
        return ours(running, event.leg) &&
          call.legs[event.leg]?.state === 'preparing' &&
          running.memory.winner === undefined
          ? [invite(dial, call, running, event.leg, event.sdp)]
          : [];
      case 'LegRang':
        return ours(running, event.leg) ? ringback(call, running) : [];
      case 'LegAnswered':
        return event.leg === 0
          ? callerAnswered(dial, call, running)
          : ours(running, event.leg)
            ? answered(dial, call, running, event)
            : [];
      case 'NodeAssigned': // whoever was found while there was no media
        return event.kind === 'media' && running.memory.winner === undefined ? sessions(call, room(dial, running)) : [];
      case 'GroupFound':
      case 'LookUpFailed':
        return event.requestId === running.memory.answered ? grouped(dial, call, running) : [];
      case 'SessionFailed':
      case 'DialFailed':
        return ours(running, event.leg) ? oneFailed(dial, call, running, event) : [];
      case 'LegEnded':
        return ours(running, event.leg) ? oneEnded(dial, call, running, event) : [];
      case 'SessionChanged': // media took the callee's answer: there is somebody to talk to
        return running.memory.winner === event.leg && call.legs[0]?.state === 'arrived' ? answer(call) : [];
      case 'SessionChangeFailed': // media can't take the callee's answer
        return running.memory.winner === event.leg ? unbridged(call, running, event.leg, event.reason) : [];
      case 'BridgeEnded':
        return event.requestId === running.memory.bridge && running.memory.winner !== undefined
          ? unbridged(call, running, running.memory.winner, `bridge-${event.reason}`)
          : [];
      case 'TimerFired':
        return event.timerId === running.memory.timer && running.memory.winner === undefined
          ? nobodyAnswered(call, running, 'no-answer')
          : [];
      default:
        return [];
    }
  },
};

const isGroup = ({ uri }: Target) => uri.startsWith(GROUP);

/** Whom the document names itself, in its order. */
const callable = (dial: Dial) => dial.targets.filter((target) => !isGroup(target));

/** Everybody that the Dial rings: those it names, then those of its groups as they were found. One leg each. */
const targetsOf = (dial: Dial, memory: Memory): string[] =>
  withMembers(
    callable(dial).map(({ uri }) => uri),
    memory.members ?? [],
  ).slice(0, TARGETS_MAX);

/** Nobody is rung twice because of a group. */
const withMembers = (named: string[], members: string[]) => [
  ...named,
  ...new Set(members.filter((member) => !named.includes(member))),
];

/** How many of them have no leg yet. */
const room = (dial: Dial, { memory }: Running) => targetsOf(dial, memory).length - (memory.legs?.length ?? 0);

const sessions = (call: Call, count: number): Decided[] =>
  Array.from({ length: Math.max(0, count) }, (_, i) => session(call.legs.length + i, call));

const lookUp = (call: Call, uri: string): Decided => ({
  type: 'GroupRequested',
  leg: 0,
  group: uri.slice(GROUP.length),
  accountId: call.account,
});

/** Whom a group rings, or nobody: the Dial has failed where nobody else rings and no other group is asked for. */
function grouped(dial: Dial, call: Call, running: Running): Decided[] {
  if (running.memory.winner !== undefined) return [];
  if (isOver(dial, call, running)) return nobodyAnswered(call, running, 'no-group');
  return call.media ? sessions(call, room(dial, running)) : [];
}

const ours = (running: Running, leg: number) => running.memory.legs?.includes(leg) ?? false;

function learn(memory: Memory, event: CallEvent): Memory {
  switch (event.type) {
    case 'SessionRequested':
      return event.leg > 0 && event.sdpVersion === 1 // a later one replaces a session that was lost
        ? { ...memory, legs: [...(memory.legs ?? []), event.leg] }
        : memory;
    case 'GroupRequested':
      return { ...memory, groups: [...(memory.groups ?? []), event.seq] };
    case 'GroupFound':
    case 'LookUpFailed': {
      if (!memory.groups?.includes(event.requestId)) return memory;
      const groups = memory.groups.filter((request) => request !== event.requestId);
      const found = event.type === 'GroupFound' ? event.targets : [];
      return { ...memory, groups, members: [...(memory.members ?? []), ...found], answered: event.requestId };
    }
    case 'TimerSet':
      return event.purpose === 'dial' ? { ...memory, timer: event.seq } : memory;
    case 'LegAnswered':
      return memory.winner === undefined && memory.legs?.includes(event.leg) && !memory.gone?.includes(event.leg)
        ? { ...memory, winner: event.leg }
        : memory;
    case 'PlayRequested':
      return { ...memory, play: event.seq };
    case 'BridgeRequested':
      return { ...memory, bridge: event.seq };
    case 'DialFailed':
    case 'SessionFailed':
      return memory.legs?.includes(event.leg)
        ? { ...memory, failed: event.reason, gone: [...new Set([...(memory.gone ?? []), event.leg])] }
        : memory;
    default:
      return memory;
  }
}

/** Media first: the INVITE needs our offer. The `o=` id is the leg's for life. */
const session = (leg: number, call: Call): Decided => ({
  type: 'SessionRequested',
  leg,
  offer: '',
  sdpId: call.arrivedAt + leg,
  sdpVersion: 1,
});

function invite(dial: Dial, call: Call, running: Running, leg: number, sdp: string): Decided {
  const place = running.memory.legs!.indexOf(leg);
  const target = targetsOf(dial, running.memory)[place]!;
  return { type: 'DialRequested', leg, target, accountId: call.account, fromUser: dial.from || call.from, sdp };
}

/** 180 for a caller who hears nothing of us yet, a ringing tone for one who does; once. */
function ringback(call: Call, running: Running): Decided[] {
  const caller = call.legs[0];
  if (running.memory.winner !== undefined || running.memory.play !== undefined) return [];
  if (caller?.state === 'answered' || caller?.early)
    return [{ type: 'PlayRequested', leg: 0, items: [{ kind: 'tone', value: 'ringback' }], loop: 0 }];
  return caller?.state === 'arrived' && !caller.ringing ? [{ type: 'RingRequested', leg: 0, sdp: '' }] : [];
}

function answered(
  dial: Dial,
  call: Call,
  running: Running,
  event: Extract<CallEvent, { type: 'LegAnswered' }>,
): Decided[] {
  // Only the first wins. The others were let go when it did, and `releases` hangs up what answered all the same.
  if (running.memory.winner !== event.leg) return [];
  const { timer } = running.memory;
  const others = running.memory.legs!.filter((leg) => leg !== event.leg);
  const taken = acceptAnswer(call, event.leg, event.sdp);
  // A caller is answered once media took the callee's answer, and not charged for one that can't be heard.
  const isWaiting = call.legs[0]!.state === 'arrived' && taken.length > 0;
  return [
    ...(timer && call.timers[timer] ? [{ type: 'TimerCancelled', timerId: timer } as const] : []),
    ...others.flatMap((leg) => letGo(leg, call.legs[leg], 'answered-elsewhere')),
    ...taken,
    ...(isWaiting ? [] : call.legs[0]!.state === 'arrived' ? answer(call) : bridge(dial, call, running)),
  ];
}

/** The caller's leg stands: the bridge, or, while somebody rings already, the tone for it. */
function callerAnswered(dial: Dial, call: Call, running: Running): Decided[] {
  if (running.memory.winner !== undefined) return bridge(dial, call, running);
  return running.memory.legs?.some((leg) => call.legs[leg]?.ringing && call.legs[leg]?.state !== 'ended')
    ? ringback(call, running)
    : [];
}

/** The callee answered and can't be connected: it is let go, and the Dial has failed. */
function unbridged(call: Call, running: Running, leg: number, reason: string): Decided[] {
  return [...letGo(leg, call.legs[leg], reason), fail(call, running, reason)];
}

/** Joins caller and winner once both stand. */
function bridge(dial: Dial, call: Call, running: Running): Decided[] {
  const { winner, play, bridge } = running.memory;
  if (winner === undefined || bridge !== undefined || call.legs[0]?.state !== 'answered') return [];
  const target = targetsOf(dial, running.memory)[running.memory.legs!.indexOf(winner)]!;
  const recordingId = dial.record || recordsDialled(call, target) ? recordingIdOf(call.id, running.seq) : '';
  const stop =
    play !== undefined && call.outstanding[play] ? [{ type: 'PlayStopRequested', leg: 0, play } as const] : [];
  return [...stop, { type: 'BridgeRequested', legA: 0, legB: winner, recordingId }];
}

function oneFailed(
  dial: Dial,
  call: Call,
  running: Running,
  event: Extract<CallEvent, { type: 'DialFailed' | 'SessionFailed' }>,
): Decided[] {
  if (running.memory.winner !== undefined) return [];
  // A 6xx speaks for the callee everywhere (RFC 3261 21.6): the rest stop ringing.
  if (event.type === 'DialFailed' && event.status >= 600) return nobodyAnswered(call, running, event.reason);
  return isOver(dial, call, running) ? nobodyAnswered(call, running, event.reason) : [];
}

/** Nobody rings any more or waits to be rung, and no group is asked for whom else it could be. */
const isOver = (dial: Dial, call: Call, running: Running) =>
  remaining(call, running).length === 0 && (running.memory.groups ?? []).length === 0 && room(dial, running) <= 0;

const remaining = (call: Call, running: Running) =>
  (running.memory.legs ?? []).filter((leg) => call.legs[leg]?.state !== 'ended');

function nobodyAnswered(call: Call, running: Running, reason: string): Decided[] {
  const { timer, play, legs = [] } = running.memory;
  return [
    ...(timer && call.timers[timer] ? [{ type: 'TimerCancelled', timerId: timer } as const] : []),
    ...(play !== undefined && call.outstanding[play] ? [{ type: 'PlayStopRequested', leg: 0, play } as const] : []),
    ...legs.flatMap((leg) => letGo(leg, call.legs[leg], reason)),
    fail(call, running, reason),
  ];
}

/** CANCEL or BYE for a leg that was dialled; a leg that wasn't gives its session back. */
function letGo(leg: number, state: Leg | undefined, reason: string): Decided[] {
  if (!state || state.state === 'ended') return [];
  return state.state === 'preparing' ? [{ type: 'ReleaseRequested', leg }] : [hangupLeg(leg, 'us', reason)];
}

function oneEnded(dial: Dial, call: Call, running: Running, event: CallEvent<FactOf<'LegEnded'>>): Decided[] {
  const { leg, by, reason } = event;
  const wasAsked = call.answered.some((request) => request.type === 'HangupRequested');
  // An edge that leaves hangs up what it holds; the callee didn't.
  if (running.memory.winner === leg && by === 'us' && reason === 'bye' && !wasAsked)
    return [fail(call, running, 'shutdown')];
  if (running.memory.winner === leg)
    return [...(dial.hangupOnBye ? [hangup('callee', 'callee-hung-up')] : []), end(running, true, 'callee-hung-up')];
  return running.memory.winner === undefined && isOver(dial, call, running)
    ? nobodyAnswered(call, running, 'no-answer')
    : [];
}
