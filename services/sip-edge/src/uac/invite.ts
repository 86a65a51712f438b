// The INVITE of a leg that we dial: what stands in it, and over which transport it goes.

import { sipCallIdOf } from '@opentact/proto';
import type { CalleeLeg, Target } from '../edge/call.ts';
import { type Context, contactLine, hostPort, namesOf, viaOf } from '../edge/context.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { formatOwnRequest, type OwnRequest } from '../stack/message/own-request.ts';
import type { Peer } from '../stack/transport/peer.ts';

/** Above this a request over UDP may be cut on the way (RFC 3261 18.1.1). */
const UDP_BYTES_MAX = 1_300;

/** UDP unless told otherwise or too large; a TCP that can't be had falls back to UDP (RFC 3261 18.1.1). */
export async function peerFor(
  context: Pick<Context, 'secret' | 'network' | 'allow'>,
  leg: CalleeLeg,
  target: Target,
): Promise<Peer | undefined> {
  const { address, port } = target.endpoint;
  const udp = context.network.udp(address, port);
  if (target.transport === 'udp') return udp;
  const size = formatOwnRequest(compose(context, leg, target, udp, []).invite).length;
  if (target.transport === undefined && size <= UDP_BYTES_MAX) return udp;
  return context.network.tcp(address, port).catch(() => (target.transport === 'tcp' ? undefined : udp));
}

/** The INVITE of a leg's next try, and the names it goes by. */
export function compose(
  context: Pick<Context, 'secret' | 'network' | 'allow'>,
  leg: CalleeLeg,
  target: Target,
  peer: Peer,
  auth: readonly HeaderLine[],
) {
  const { call, ask, tag, attempt } = leg;
  const { fromUser } = target;
  const names = namesOf(context, call.id, ask.seq, attempt);
  const user = fromUser.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,/]/g, (char) => encodeURIComponent(char));
  const invite: OwnRequest = {
    method: 'INVITE',
    uriText: target.uriText,
    via: viaOf(context, peer.transport, names.branch),
    from: `<sip:${user === '' ? '' : `${user}@`}${hostPort(context)}>;tag=${tag}`,
    to: `<${leg.toText ?? target.toText}>`,
    callId: sipCallIdOf(context.secret, call.id, leg.number),
    cseq: names.cseq,
    routes: [],
    lines: [contactLine(context, tag, peer.transport), context.allow, ...target.lines, ...auth],
    ...(ask.sdp ? { body: { type: 'application/sdp', bytes: Buffer.from(ask.sdp) } } : {}),
  };
  return { invite, names };
}
