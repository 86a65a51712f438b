/** What a call says to the one that it is connected to when it leaves, and what it remembers of that one's words. */
import type { CallEvent, Decided } from '@opentact/proto/events';
import type { Call } from './call.ts';

/** The purpose of the document that connects. */
export const BRIDGE = 'bridge';

export const leave = (peerCallId: string, reason: string): Decided => ({
  type: 'PeerLeaveRequested',
  peerCallId,
  reason,
});

/** The call no longer is connected: the bridge, where it is ours, ends, and the other call is told. */
export function parting(call: Call, reason: string): Decided[] {
  const bridges = Object.values(call.outstanding).flatMap((request) =>
    request.type === 'BridgeRequested' && request.callB
      ? [{ type: 'BridgeStopRequested', bridge: request.seq } as const]
      : [],
  );
  return [...bridges, ...(call.peer ? [leave(call.peer.callId, reason)] : [])];
}

/** What a call remembers of the other: part of the fold. */
export function learnPeer(call: Call, event: CallEvent): Call {
  switch (event.type) {
    case 'DocumentAccepted': {
      if (event.purpose !== BRIDGE) return call;
      const [verb] = (JSON.parse(event.verbs) as { verbs: Array<{ peer: string }> }).verbs;
      return { ...call, peer: { callId: verb!.peer } };
    }
    case 'PeerJoined':
      return heard(call, event);
    case 'PeerLeft':
      return event.peerCallId === call.peer?.callId ? without(heard(call, event)) : heard(call, event);
    case 'PeerLeaveRequested':
      return event.peerCallId === call.peer?.callId ? without(call) : call;
    default:
      return call;
  }
}

const HEARD_MAX = 20;

function heard(call: Call, { peerCallId, peerSeq }: { peerCallId: string; peerSeq: number }): Call {
  if (peerSeq === 0) return call;
  const others = Object.entries(call.heard ?? {}).filter(([id]) => id !== peerCallId);
  return { ...call, heard: Object.fromEntries([...others.slice(1 - HEARD_MAX), [peerCallId, peerSeq]]) };
}

function without(call: Call): Call {
  const { peer: _, ...rest } = call;
  return rest;
}

/** Was this word of the other call learned before? */
export const wasHeard = (call: Call, said: { peerCallId: string; peerSeq: number }) =>
  said.peerSeq > 0 && (call.heard?.[said.peerCallId] ?? 0) >= said.peerSeq;

/** A bridge needs both sessions in one place: ours opens anew where the other call's is. */
export function moveBeside(call: Call, event: Extract<CallEvent, { type: 'PeerJoined' }>): Decided[] {
  const { session } = call.legs[0]!;
  if (!session) return [];
  const { node, boot, peerCallId: beside } = event;
  return [
    { type: 'ReleaseRequested', leg: 0, to: session.node },
    {
      type: 'SessionRequested',
      leg: 0,
      offer: '',
      sdpId: call.arrivedAt,
      sdpVersion: session.sdpVersion + 1,
      beside,
      ...(session.sdp && { described: session.sdp }),
      to: { node, boot },
    },
  ];
}
