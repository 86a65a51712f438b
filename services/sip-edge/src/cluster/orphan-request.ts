// Requests about a leg of another edge while no owner can say which: answered here all the same, since a phone waits.
// BYE is taken at its word and told to the story; everything else may be tried again.

import { q850Of } from '../edge/causes.ts';
import { type Context, report, strangerTag } from '../edge/context.ts';
import type { SipRequest } from '../stack/message/message.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { RETRY_AFTER } from '../uas/arrival.ts';

export function respondToOrphanRequest(
  context: Pick<Context, 'calls' | 'link' | 'secret' | 'transactions'>,
  { callId, leg }: { callId: string; leg: number },
  request: SipRequest,
  arrival: Arrival,
): void {
  if (request.method === 'ACK' || context.transactions.serverOf(request, arrival.peer.transport)) return;
  const server = context.transactions.restoreServerTransaction(request, arrival);
  server.identify(strangerTag(context, request));
  if (request.method !== 'BYE') return void server.respond(500, { lines: [RETRY_AFTER] });
  server.respond(200);
  const end = { by: 'peer', status: 0, q850: q850Of(request) || 16, reason: 'bye' };
  report(context, callId, { type: 'LegEnded', leg, ...end })
    .catch(() => {})
    .finally(() => context.calls.has(callId) || context.link.forget(callId));
}
