// Sessions and SDP: opens them, answers offers, applies answers. It refuses by naming a reason, and then changes nothing.
import { isIP } from 'node:net';
import type { Observed } from '@opentact/proto/events';
import { composeAnswer, composeOffer, type Ours } from '../sdp/compose.ts';
import { negotiate } from '../sdp/negotiate.ts';
import { Session } from '../session/session.ts';
import { openSockets } from '../session/sockets.ts';
import type { AskOf } from './messages.ts';
import type { SwitchboardOptions } from './switchboard.ts';

/** Our answer to `offer`, or our own offer where it is empty; the session agrees only where this succeeds. */
function describe(session: Session, offer: string, version: number, advertise: string) {
  const ours: Ours = { id: session.sdpId, version, address: advertise, port: session.sockets.port };
  if (offer === '') return { ok: true as const, sdp: composeOffer(ours, session.agreement?.law) };
  const accepted = negotiate(offer, session.agreement?.law, isIP(advertise));
  if (!accepted.ok) return accepted;
  session.agree(accepted.agreement);
  return { ok: true as const, sdp: composeAnswer(ours, accepted) };
}

/** Opens a session for a leg. The session is undefined where the fact says why not. */
export async function openSession(
  ask: AskOf<'SessionRequested'>,
  options: SwitchboardOptions,
): Promise<{ session: Session | undefined; fact: Observed }> {
  const { leg, seq: requestId, callId } = ask;
  const failed = (reason: string) => ({
    session: undefined,
    fact: { type: 'SessionFailed' as const, requestId, leg, reason },
  });
  // Before a port is taken: most refusals are refusals of the offer.
  const offered = ask.offer === '' ? undefined : negotiate(ask.offer, undefined, isIP(options.advertise));
  if (offered && !offered.ok) return failed(offered.reason);
  const sockets = await openSockets(options.bind, options.ports);
  if (!sockets) return failed('full');
  const session = new Session(sockets, {
    leg,
    sdpId: ask.sdpId,
    silentMs: options.silentMs,
    report: (fact) => options.report(callId, fact),
  });
  const described = describe(session, ask.offer, ask.sdpVersion, options.advertise);
  if (!described.ok) throw new Error('an offer was refused that was accepted before');
  return { session, fact: { type: 'SessionReady', requestId, leg, sdp: described.sdp } };
}

/** Asked again for a leg that is open: answered again, from the same port. */
export function reopenSession(session: Session, ask: AskOf<'SessionRequested'>, advertise: string): Observed {
  const { leg, seq: requestId } = ask;
  const described = describe(session, ask.offer, ask.sdpVersion, advertise);
  return described.ok
    ? { type: 'SessionReady', requestId, leg, sdp: described.sdp }
    : { type: 'SessionFailed', requestId, leg, reason: described.reason };
}

/** Takes the peer's new offer, or its answer to ours. */
export function changeSession(session: Session, ask: AskOf<'SessionChangeRequested'>, advertise: string): Observed {
  const { leg, seq: requestId } = ask;
  const refused = (reason: string): Observed => ({ type: 'SessionChangeFailed', requestId, leg, reason });
  const changed = (sdp: string): Observed => ({
    type: 'SessionChanged',
    requestId,
    leg,
    sdp,
    held: session.agreement?.held ?? false,
  });
  if (ask.isOffer) {
    const described = describe(session, ask.sdp, ask.sdpVersion, advertise);
    return described.ok ? changed(described.sdp) : refused(described.reason);
  }
  const accepted = negotiate(ask.sdp, session.agreement?.law, isIP(advertise));
  if (!accepted.ok) return refused(accepted.reason);
  session.agree(accepted.agreement);
  return changed('');
}
