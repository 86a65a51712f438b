/**
 * Two calls that are connected (architecture section 4): they speak only by facts. The call that was ordered to makes the
 * bridge; the other moves its session beside that call's first. Either may leave, and the other goes on with its flow.
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import type { Call } from './call.ts';
import { nestedTooDeep } from './document-request.ts';
import { quiet } from './flow.ts';
import { LANGUAGE_VERSION } from './language/verb.ts';
import { BRIDGE, leave, moveBeside, parting } from './peer-words.ts';
import { cancelTimers, end } from './performer.ts';

/** What follows from an order to connect, and from what the other call says. The rest is the verb's (`verbs/bridge.ts`). */
export function peers(call: Call, event: CallEvent): Decided[] {
  switch (event.type) {
    case 'BridgeOrdered':
      return canBridge(call) ? connect(call, event.peerCallId, true) : [];
    case 'PeerJoined':
      if (!event.hosts) return [];
      if (call.peer?.callId === event.peerCallId) return givesWay(call) ? asGuest(call, event) : [];
      if (!canBridge(call)) return [leave(event.peerCallId, 'busy')];
      return asGuest(call, event);
    case 'DocumentAccepted': // another document was run on it
      return call.peer && event.purpose !== BRIDGE ? parting(call, 'replaced') : [];
    default:
      return [];
  }
}

/** An answered call that is not connected to another yet, and whose next document is not under way. */
export const canBridge = (call: Call) =>
  call.state === 'live' &&
  !call.ending &&
  !call.peer &&
  call.legs[0]?.state === 'answered' &&
  !call.legs[0].moving &&
  call.flow.awaited === undefined &&
  call.flow.document > 0 &&
  !nestedTooDeep(call);

const asGuest = (call: Call, event: Extract<CallEvent, { type: 'PeerJoined' }>): Decided[] => [
  ...connect(call, event.peerCallId, false),
  ...moveBeside(call, event),
];

/** Both were ordered to connect to each other at once: of two hosts the one with the higher id becomes the guest. */
function givesWay(call: Call): boolean {
  const { running } = call.flow;
  const isHost = running?.verb.name === 'Bridge' && running.verb.hosts && running.memory.bridge === undefined;
  return isHost && call.id > (call.peer?.callId ?? '');
}

/** Whatever runs ends, and the connection stands in its place: behind it the flow goes on. */
function connect(call: Call, peer: string, hosts: boolean): Decided[] {
  const { running, document } = call.flow;
  const verbs = JSON.stringify({ verbs: [{ name: 'Bridge', index: 0, tag: '', peer, hosts }] });
  return [
    ...cancelTimers(call, (purpose) => purpose !== 'max-length'),
    ...quiet(call),
    ...(running ? [end(running, true, 'bridged')] : []),
    {
      type: 'DocumentAccepted',
      document,
      requestId: 0,
      purpose: BRIDGE,
      languageVersion: LANGUAGE_VERSION,
      verbs,
      warnings: [],
    },
  ];
}
