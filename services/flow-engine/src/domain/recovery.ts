/**
 * How a call goes on after a node of it died: another edge holds its dialogs, another media node gives it sessions and
 * the peers are told. Plans don't change: the same requests are asked again of the node that takes over.
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { requestsThat, rowOf } from '@opentact/proto/requests';
import { type Call, type Leg, outstandingOf } from './call.ts';
import { acceptAnswer } from './media.ts';
import { hangup, hangupLeg } from './performer.ts';
import { OF_THE_DIALOG } from './requests.ts';

/** The edge's half; an ended call needs it too, to say its last BYE. */
export function adoption(call: Call, event: CallEvent): Decided[] {
  if (event.type === 'NodeLost' && event.recover && event.kind === 'sip-edge') {
    if (!call.legs.some((leg) => leg.adrift)) return [];
    return [{ type: 'NodeRequested', kind: 'sip-edge', except: [{ node: event.node, boot: event.boot }] }];
  }
  if (event.type !== 'NodeAssigned' || event.kind !== 'sip-edge') return [];
  return call.legs.flatMap((leg, n) => (leg.adrift ? [adopt(call, leg, n)] : []));
}

function adopt(call: Call, leg: Leg, n: number): Decided {
  const { invite } = call;
  const owed = n === 0 && invite !== undefined;
  return {
    type: 'AdoptRequested',
    leg: n,
    invite: owed ? invite.bytes : '',
    transport: owed ? invite.transport : '',
    sourceAddress: owed ? invite.sourceAddress : '',
    answer: leg.unconfirmed?.answer ?? 0,
    answerSdp: leg.unconfirmed?.sdp ?? '',
    ...(leg.dialog && { dialog: leg.dialog }),
    accountId: call.account,
    target: leg.target,
  };
}

/** Bytes as one character each, so that a state stays plain data. */
export const textOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

/** The media's half. */
export function moving(call: Call, event: CallEvent): Decided[] {
  if (call.ending) return [];
  switch (event.type) {
    case 'NodeLost':
      if (!event.recover) return [];
      // An offer that its edge took along would have told the peer of its new session.
      return event.kind === 'media' ? moveFrom(call, event) : call.legs.flatMap((_, n) => tell(call, n));
    case 'NodeAssigned':
      return event.kind === 'media'
        ? call.legs.flatMap((leg, n) => (leg.moving?.stage === 'lost' ? [open(call, leg, n)] : []))
        : [];
    case 'SessionReady':
    case 'LegAnswered':
      return tell(call, event.leg);
    case 'OfferAccepted':
      return acceptAnswer(call, event.leg, event.sdp);
    case 'OfferRefused':
      return giveUp(event.leg);
    case 'RequestFailed': {
      const given = call.answered.find((request) => request.type === 'OfferRequested');
      return given?.type === 'OfferRequested' ? giveUp(given.leg) : [];
    }
    case 'SessionFailed': // the caller's is told of elsewhere, and so is that of a leg not dialled yet
      return event.leg > 0 && /^(dialling|answered)$/.test(call.legs[event.leg]?.state ?? '') ? giveUp(event.leg) : [];
    default:
      return [];
  }
}

/** The lost node gives back what it held should it ever speak again; another is looked for. */
function moveFrom(call: Call, lost: { node: string; boot: string }): Decided[] {
  const to = { node: lost.node, boot: lost.boot };
  const legs = call.legs.flatMap((leg, n) => (leg.moving?.stage === 'lost' ? [n] : []));
  if (legs.length === 0) return [];
  return [
    ...legs.map((leg): Decided => ({ type: 'ReleaseRequested', leg, to })),
    { type: 'NodeRequested', kind: 'media', except: [to] },
  ];
}

function open(call: Call, leg: Leg, n: number): Decided {
  const offer = leg.offer?.sdp ?? (leg.state === 'arrived' ? call.offer : '');
  const described = offer === '' ? leg.moving!.sdp : undefined;
  return {
    type: 'SessionRequested',
    leg: n,
    offer,
    sdpId: call.arrivedAt + n,
    sdpVersion: leg.moving!.sdpVersion + 1,
    ...(described && { described }),
  };
}

/** The peer learns where its audio goes now: by our answer where it waits for one, else by an offer of ours. */
function tell(call: Call, n: number): Decided[] {
  const leg = call.legs[n];
  const sdp = leg?.session?.sdp;
  if (!sdp || leg.state !== 'answered') return [];
  const opened = call.answered.some((request) => request.type === 'SessionRequested');
  if (opened && leg.offer)
    return [{ type: 'OfferAnswerRequested', leg: n, sdp, status: 200, transaction: leg.offer.transaction }];
  return leg.moving?.stage === 'untold' ? [{ type: 'OfferRequested', leg: n, sdp }] : [];
}

const giveUp = (leg: number): Decided[] => [
  leg === 0 ? hangup('us', 'media-lost', 41, 500) : hangupLeg(leg, 'us', 'media-lost', 41),
];

/** What is heard or recorded goes on in the next session. */
const OF_THE_SOUND = requestsThat(({ scope, onNodeLoss }) => scope === 'session' && onNodeLoss === 'with-call');

/** One who isn't answered yet hears the new session before he can be told of it. */
const isBetweenSessions = (leg: Leg | undefined) =>
  leg?.moving !== undefined && !(leg.moving.stage === 'untold' && leg.state === 'arrived');

/** Must this request wait, because its node died and its leg doesn't stand elsewhere yet? */
export function isHeldBack(call: Call, request: CallEvent<Decided>): boolean {
  const kind = rowOf(request.type)?.servedBy;
  if ((kind === 'media' || kind === 'sip-edge') && !request.to) return true;
  if (request.type === 'BridgeRequested')
    return call.legs[request.legA]?.moving !== undefined || call.legs[request.legB]?.moving !== undefined;
  if (request.type === 'BridgeStopRequested') {
    const bridge = call.outstanding[request.bridge];
    return bridge !== undefined && isHeldBack(call, bridge);
  }
  if (!('leg' in request)) return false;
  if (OF_THE_SOUND.has(request.type)) return isBetweenSessions(call.legs[request.leg]);
  if (request.type === 'AdoptRequested') return false;
  return (
    OF_THE_DIALOG.has(request.type) && outstandingOf(call, 'AdoptRequested', (e) => e.leg === request.leg).length > 0
  );
}
