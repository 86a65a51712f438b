/**
 * What media must know of a leg beside its SDP: where its signalling comes from, the ranges of its trunk, and whether it
 * is answered yet. An SDP proves nothing about the address that it names; media refuses to send there without this.
 */
import type { Decided, MediaPeer } from '@opentact/proto/events';
import type { Call } from './call.ts';

/** The request with what media must know of its leg; unchanged where it needs nothing. */
export function withMediaPeer(call: Call, decided: Decided): Decided {
  switch (decided.type) {
    case 'SessionRequested':
      return { ...decided, ...peerOf(call, decided.leg), ...silenceOf(call) };
    case 'SessionChangeRequested':
      return { ...decided, ...peerOf(call, decided.leg), ...early(call, decided.leg) };
    case 'PlayRequested':
    case 'RecordRequested':
      return { ...decided, ...early(call, decided.leg) };
    case 'BridgeRequested':
      // The other call's leg is judged by its own session: this one doesn't know it.
      return { ...decided, ...early(call, decided.legA, ...(decided.callB ? [] : [decided.legB])) };
    default:
      return decided;
  }
}

const early = (call: Call, ...legs: number[]) =>
  legs.every((leg) => call.legs[leg]?.state === 'answered') ? {} : { early: true as const };

const silenceOf = (call: Call) => (call.app.silenceMs ? { silenceMs: call.app.silenceMs } : {});

/**
 * The latest that is known: a dialog tells where its messages came from last, also after its peer moved. Stories from
 * before `MediaPeer` name the source of the INVITE, and of the dialog, all the same.
 */
function peerOf(call: Call, number: number): { peer?: MediaPeer } {
  const leg = call.legs[number];
  const signallingAddress =
    hostOf(leg?.dialog?.peerAddress) ||
    leg?.media?.signallingAddress ||
    (number === 0 ? hostOf(call.invite?.sourceAddress) : '');
  const fromAnywhere = (leg?.media?.fromAnywhere ?? false) || call.app.rtpFromAnywhere === true;
  const ranges = leg?.media?.ranges ?? [];
  if (!signallingAddress && ranges.length === 0 && !fromAnywhere) return {};
  return { peer: { signallingAddress, ranges, fromAnywhere } };
}

/** The host of `ip:port`, without the brackets of IPv6; empty where there is none. */
function hostOf(address: string | undefined): string {
  if (!address) return '';
  const host = address.slice(0, Math.max(0, address.lastIndexOf(':')));
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
