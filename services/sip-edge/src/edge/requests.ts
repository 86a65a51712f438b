// Every request that arrives, to whoever serves it (methods.ts): a new call, something within one, or neither.
// BYE, CANCEL and ACK always pass; what belongs to no dialog of ours is answered 481.

import { parseLegUuid } from '@opentact/proto';
import { methodOf } from '../methods.ts';
import { sdpOf } from '../stack/message/bodies.ts';
import { inspect } from '../stack/message/inspect.ts';
import type { SipRequest } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import { respondStateless } from '../stack/transaction/stateless.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { callIdFor, callLine, RETRY_AFTER } from '../uas/arrival.ts';
import type { Answer } from '../uas/options.ts';
import type { Leg } from './call.ts';
import { type Context, strangerTag } from './context.ts';

/** A request that `refusalOfStateless` has no answer to: it begins a call, or is within a dialog of ours. */
export function receive(context: Context, server: ServerTransaction): void {
  const { request } = server;
  const { outOfDialog, inDialog } = methodOf(request);
  if (!textParamOf(request.to.params, 'tag'))
    return 'begin' in outOfDialog ? outOfDialog.begin(context, server) : server.reject(481);
  const leg = legOf(context, request);
  if (!leg) return server.reject(481);
  follow(leg, server.arrival);
  inDialog(context, leg, server);
}

/**
 * What a request is answered that needs no transaction (RFC 3261 8.2.7): requests outside calls, those of dialogs that are
 * not ours, and, where `full`, those of dialogs that may be tried again. Undefined: it needs one.
 */
export function refusalOfStateless(context: Context, request: SipRequest, full: boolean): Answer | undefined {
  const { outOfDialog, inspectsItself, endsDialog } = methodOf(request);
  if (!textParamOf(request.to.params, 'tag'))
    return 'begin' in outOfDialog ? undefined : outOfDialog.answer(context, request);
  const leg = legOf(context, request);
  if (leg?.state === 'ended' && endsDialog) return { status: 200 };
  if (!leg || leg.state === 'ended')
    return (inspectsItself ? undefined : inspect(request, context.abilities)) ?? { status: 481 };
  return full && !endsDialog ? { status: 500, lines: [RETRY_AFTER] } : undefined;
}

/** Always false: no transaction opens. */
export function answerStateless(
  context: Pick<Context, 'secret'>,
  request: SipRequest,
  arrival: Arrival,
  answer: Answer,
): false {
  const named = request.method === 'INVITE' ? [callLine(callIdFor(context, request))] : [];
  const options = { toTag: strangerTag(context, request), ...answer, lines: [...named, ...(answer.lines ?? [])] };
  respondStateless(request, arrival, answer.status, options, request.raw.length);
  return false;
}

/** A phone whose connection ended goes on over another; that one carries our requests from now on. */
function follow(leg: Leg, { peer }: Arrival): void {
  if (leg.peer?.transport === 'tcp' && peer.transport === 'tcp' && peer.open !== false) leg.peer = peer;
}

/** The leg whose dialog a request names: our tag, the peer's tag, and the Call-ID. */
function legOf(context: Pick<Context, 'calls'>, request: SipRequest): Leg | undefined {
  const tag = textParamOf(request.to.params, 'tag') ?? '';
  const named = parseLegUuid(tag.split('.', 1)[0]!);
  const leg = named && context.calls.get(named.callId)?.legs.get(named.leg);
  // Equal to the tag that was made for the leg, so its mac needs no second computing.
  if (!leg?.dialog || leg.tag !== tag) return undefined;
  const { callId, remoteTag } = leg.dialog;
  return callId === request.callId && remoteTag === (textParamOf(request.from.params, 'tag') ?? '') ? leg : undefined;
}

/** The ACK of a 2xx of ours (RFC 3261 13.3.1.4): its dialog and CSeq number say which. */
export function acknowledged(
  context: Pick<Context, 'calls' | 'transactions'>,
  request: SipRequest,
  arrival: Arrival,
): void {
  const leg = legOf(context, request);
  if (!leg) return;
  follow(leg, arrival);
  context.transactions.prove(arrival.source);
  if (leg.unconfirmed?.cseq === request.cseq.number) leg.unconfirmed.ack(sdpOf(request));
}
