// Sessions and SDP: opens them, answers offers, applies answers. It refuses by naming a reason, and then changes nothing.
import { isIP } from 'node:net';
import type { Observed } from '@opentact/proto/events';
import { type Beyond, MediaRule } from '../rtp/media-rule.ts';
import { composeAnswer, composeOffer, type Ours } from '../sdp/compose.ts';
import { negotiate } from '../sdp/negotiate.ts';
import type { PortPool } from '../session/port-pool.ts';
import { Session } from '../session/session.ts';
import { openSockets } from '../session/sockets.ts';
import type { AskOf } from './messages.ts';

/** What sessions are opened with. */
export type OpeningOptions = Beyond & {
  /** Where to listen, and what SDP says. */
  bind: string;
  advertise: string;
  ports: PortPool;
  silentMs: number;
  report(callId: string, fact: Observed): void;
};

/** Bounds of what an app may set, ms. */
const SILENT_MS_MIN = 5000;
const SILENT_MS_MAX = 4 * 3_600_000;

/** Our answer to `offer`, or our own offer where it is empty; the session agrees only where this succeeds. */
function describe(session: Session, offer: string, version: number, advertise: string) {
  const ours: Ours = { id: session.sdpId, version, address: advertise, port: session.sockets.port };
  if (offer === '')
    return {
      ok: true as const,
      sdp: remembered(session, composeOffer(ours, session.media?.codec, session.described)),
    };
  const accepted = negotiate(offer, session.media?.codec, isIP(advertise));
  if (!accepted.ok) return accepted;
  session.agree(accepted.media);
  return { ok: true as const, sdp: remembered(session, composeAnswer(ours, accepted)) };
}

/** What we say of ourselves is what a later offer of ours keeps the lines of. */
function remembered(session: Session, sdp: string): string {
  session.described = sdp;
  return sdp;
}

/** Opens a session for a leg. The session is undefined where the fact says why not. */
export async function openSession(
  ask: AskOf<'SessionRequested'>,
  options: OpeningOptions,
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
    silentMs: ask.silenceMs ? Math.min(SILENT_MS_MAX, Math.max(SILENT_MS_MIN, ask.silenceMs)) : options.silentMs,
    report: (fact) => options.report(callId, fact),
  });
  session.judgeBy(new MediaRule(ask.peer, options));
  session.described = ask.described ?? '';
  const described = describe(session, ask.offer, ask.sdpVersion, options.advertise);
  if (!described.ok) throw new Error('an offer was refused that was accepted before');
  return { session, fact: { type: 'SessionReady', requestId, leg, sdp: described.sdp } };
}

/** Asked again for a leg that is open: answered again, from the same port. */
export function reopenSession(session: Session, ask: AskOf<'SessionRequested'>, options: OpeningOptions): Observed {
  const { leg, seq: requestId } = ask;
  session.judgeBy(new MediaRule(ask.peer, options));
  const described = describe(session, ask.offer, ask.sdpVersion, options.advertise);
  return described.ok
    ? { type: 'SessionReady', requestId, leg, sdp: described.sdp }
    : { type: 'SessionFailed', requestId, leg, reason: described.reason };
}

/** Takes the peer's new offer, or its answer to ours. */
export function changeSession(
  session: Session,
  ask: AskOf<'SessionChangeRequested'>,
  options: OpeningOptions,
): Observed {
  const { leg, seq: requestId } = ask;
  const { advertise } = options;
  if (ask.peer) session.judgeBy(new MediaRule(ask.peer, options));
  const refused = (reason: string): Observed => ({ type: 'SessionChangeFailed', requestId, leg, reason });
  const changed = (sdp: string): Observed => ({
    type: 'SessionChanged',
    requestId,
    leg,
    sdp,
    held: session.media?.held ?? false,
  });
  if (ask.isOffer) {
    const described = describe(session, ask.sdp, ask.sdpVersion, advertise);
    return described.ok ? changed(described.sdp) : refused(described.reason);
  }
  const accepted = negotiate(ask.sdp, session.media?.codec, isIP(advertise));
  if (!accepted.ok) return refused(accepted.reason);
  session.agree(accepted.media);
  return changed('');
}
