// Requests about a leg of another edge while no owner can say which: answered here all the same, since a phone waits.
// BYE is taken at its word and told to the story; everything else may be tried again.

import type { SipRequest } from '../stack/message/message.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { RETRY_AFTER } from './arrival.ts';
import { q850Of } from './causes.ts';
import { type Context, report, strangerTag } from './context.ts';

export function unanswered(
  context: Context,
  { callId, leg }: { callId: string; leg: number },
  request: SipRequest,
  arrival: Arrival,
): void {
  if (request.method === 'ACK' || context.transactions.serverOf(request, arrival.peer.transport)) return;
  const server = context.transactions.hold(request, arrival);
  server.identify(strangerTag(context, request));
  if (request.method !== 'BYE') return void server.respond(500, { lines: [RETRY_AFTER] });
  server.respond(200);
  const end = { by: 'peer', status: 0, q850: q850Of(request) || 16, reason: 'bye' };
  report(context, callId, { type: 'LegEnded', leg, ...end })
    .catch(() => {})
    .finally(() => context.calls.has(callId) || context.link.forget(callId));
}
