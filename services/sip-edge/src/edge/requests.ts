// Every request that arrives, to whoever serves it: a new call, something within one, or neither.
// BYE, CANCEL and ACK always pass; what belongs to no dialog of ours is answered 481.

import { parseLegUuid } from '@opentact/proto';
import { hear } from '../stack/dialog/dialog.ts';
import { inspect } from '../stack/message/inspect.ts';
import type { SipRequest } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { arrive, callIdFor, callLine, RETRY_AFTER } from './arrival.ts';
import type { Leg } from './call.ts';
import { say } from './caller.ts';
import { q850Of } from './causes.ts';
import { ABILITIES, ALLOW, type Context, endLeg, strangerTag } from './context.ts';
import { peerOffer } from './offers.ts';

/** A BYE's 200 waits for the log, but not longer than this. */
const BYE_PATIENCE_MS = 500;

export function receive(context: Context, server: ServerTransaction): void {
  const { request } = server;
  if (textParamOf(request.to.params, 'tag')) return within(context, server);
  if (request.method === 'INVITE') return arrive(context, server);
  identify(context, server);
  if (request.method === 'CANCEL' || request.method === 'BYE') return void server.respond(481);
  outside(context, server);
}

function identify(context: Context, server: ServerTransaction): void {
  const { method } = server.request;
  server.identify(
    strangerTag(context, server.request),
    method === 'INVITE' ? [callLine(callIdFor(context, server.request))] : [],
  );
}

/** OPTIONS, and whatever is refused whoever sends it. */
function outside(context: Context, server: ServerTransaction): void {
  const refusal = inspect(server.request, ABILITIES);
  if (refusal) server.respond(refusal.status, refusal);
  else if (context.draining) server.respond(503, { lines: [RETRY_AFTER] });
  else server.respond(200, { lines: [ALLOW, ['Accept', 'application/sdp'], ['Supported', '']] });
}

function within(context: Context, server: ServerTransaction): void {
  const { request } = server;
  const leg = legOf(context, request);
  if (!leg || (leg.state === 'ended' && request.method !== 'BYE')) {
    identify(context, server);
    const refusal = request.method === 'INVITE' ? undefined : inspect(request, ABILITIES);
    return void server.respond(refusal?.status ?? 481, refusal ?? {});
  }
  follow(leg, server.arrival);
  switch (request.method) {
    case 'INVITE':
      return peerOffer(context, leg, server);
    case 'BYE':
      return bye(context, leg, server);
    case 'CANCEL':
      return void server.respond(481);
    default:
      return outside(context, server);
  }
}

/** A phone whose connection ended goes on over another; that one carries our requests from now on. */
function follow(leg: Leg, { peer }: Arrival): void {
  if (leg.peer?.transport === 'tcp' && peer.transport === 'tcp' && peer.open !== false) leg.peer = peer;
}

/** The leg whose dialog a request names: our tag, the peer's tag, and the Call-ID. */
export function legOf(context: Context, request: SipRequest): Leg | undefined {
  const tag = textParamOf(request.to.params, 'tag') ?? '';
  const named = parseLegUuid(tag.split('.', 1)[0]!);
  const leg = named && context.calls.get(named.callId)?.legs.get(named.leg);
  // Equal to the tag that was made for the leg, so its mac needs no second computing.
  if (!leg?.dialog || leg.tag !== tag) return undefined;
  const { callId, remoteTag } = leg.dialog;
  return callId === request.callId && remoteTag === (textParamOf(request.from.params, 'tag') ?? '') ? leg : undefined;
}

function bye(context: Context, leg: Leg, server: ServerTransaction): void {
  // Both hung up at once, or it was repeated under another branch: over is over.
  if (leg.state === 'ended') return void server.respond(200);
  const heard = hear(leg.dialog!, server.request);
  if (!heard.ok) return void server.respond(heard.status, { reason: heard.reason });
  leg.dialog = heard.dialog;
  const q850 = q850Of(server.request) || 16;
  if (leg.kind === 'caller' && leg.state === 'arrived') say(leg, 487, {});
  const by = leg.byeSent ? 'us' : 'peer';
  const told = endLeg(context, leg, { type: 'LegEnded', leg: leg.number, by, status: 0, q850, reason: 'bye' });
  const answer = () => void server.respond(200);
  const stop = context.clock.after(BYE_PATIENCE_MS, answer);
  told.then(
    () => {
      stop();
      answer();
    },
    () => {},
  );
}

/** The ACK of a 2xx of ours (RFC 3261 13.3.1.4): its dialog and CSeq number say which. */
export function acknowledged(context: Context, request: SipRequest, arrival: Arrival): void {
  const leg = legOf(context, request);
  if (leg) follow(leg, arrival);
  if (leg?.unconfirmed?.cseq === request.cseq.number) leg.unconfirmed.ack(request.body.toString('utf8'));
}
