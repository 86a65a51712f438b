// The peer hangs up. Its BYE is taken in every state of the leg; the 200 waits for the log, but not for long.

import type { Leg } from '../edge/call.ts';
import { q850Of } from '../edge/causes.ts';
import { type CallKeeping, endLeg } from '../edge/context.ts';
import { acceptInDialogRequest } from '../stack/dialog/dialog.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import { sendResponse } from './caller.ts';

const LOG_PATIENCE_MS = 500;

export function receiveBye(context: CallKeeping, leg: Leg, server: ServerTransaction): void {
  // Both hung up at once, or it was repeated under another branch: over is over.
  if (leg.state === 'ended') return void server.respond(200);
  const accepted = acceptInDialogRequest(leg.dialog!, server.request);
  if (!accepted.ok) return void server.respond(accepted.status, { reason: accepted.reason });
  leg.dialog = accepted.dialog;
  const q850 = q850Of(server.request) || 16;
  if (leg.kind === 'caller' && leg.state === 'arrived') sendResponse(leg, 487, {});
  const by = leg.byeSent ? 'us' : 'peer';
  const told = endLeg(context, leg, { type: 'LegEnded', leg: leg.number, by, status: 0, q850, reason: 'bye' });
  const answer = () => void server.respond(200);
  const stop = context.clock.after(LOG_PATIENCE_MS, answer);
  told.then(
    () => {
      stop();
      answer();
    },
    () => {},
  );
}
