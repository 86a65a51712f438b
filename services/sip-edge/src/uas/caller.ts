// The caller's leg until it is answered: 180 or 183, 200 and its ACK, refusals, and the CANCEL that may come first.
// Whether the CANCEL or the 200 was first is the server transaction's word, not ours.

import type { CallEvent, FactOf } from '@opentact/proto';
import { recordOf } from '../cluster/dialog-record.ts';
import type { CallerLeg } from '../edge/call.ts';
import { q850Of, reasonHeader } from '../edge/causes.ts';
import { type Context, confirmSource, contactLine, endLeg, leaveAccount, report } from '../edge/context.ts';
import { sdpOf } from '../stack/message/bodies.ts';
import type { HeaderLine, ResponseOptions } from '../stack/message/build.ts';
import type { SipRequest } from '../stack/message/message.ts';
import { noAck, noAnswer, sendBye } from '../uac/bye.ts';
import { retransmit2xx } from './retransmit-2xx.ts';

/**
 * 180 to the caller; 183 with our answer where it is to hear us before it is answered (RFC 3261 13.3.1.1). What was said
 * once is not said again, and what is asked again is told again.
 */
export function ring(context: Context, leg: CallerLeg, ask: CallEvent<FactOf<'RingRequested'>>): void {
  if (leg.state === 'ended') return;
  const status = ask.sdp === '' ? 180 : 183;
  if (leg.state === 'arrived' && ask.seq > leg.rangBy) {
    leg.rangBy = ask.seq;
    const lines = [contactLine(context, leg.tag, leg.peer!.transport)];
    sendResponse(leg, status, ask.sdp === '' ? { lines } : { lines, body: bodyOf(ask.sdp) });
  }
  report(context, leg.call.id, { type: 'LegRang', requestId: ask.seq, leg: leg.number, status });
}

const bodyOf = (sdp: string) => ({ type: 'application/sdp', bytes: Buffer.from(sdp) });

/** An answer to the INVITE, by every way it came. */
export function sendResponse(leg: CallerLeg, status: number, options: ResponseOptions): void {
  leg.said = { status, options };
  // Of whoever has no call here nothing is kept (RFC 3261 8.2.7).
  if (!leg.call.told && status >= 300) {
    for (const server of [leg.server, ...leg.others]) server?.reject(status, options);
    return;
  }
  leg.server?.respond(status, options);
  tellOthers(leg);
}

/** Whoever asked again by another way is told the same. */
function tellOthers(leg: CallerLeg): void {
  if (leg.said) for (const other of leg.others) other.respond(leg.said.status, leg.said.options);
}

/** 200 to the caller; the story hears of it as it is sent and again at its ACK. */
export function answer(context: Context, leg: CallerLeg, ask: CallEvent<FactOf<'AnswerRequested'>>): void {
  if (leg.state === 'answered') return;
  if (leg.state === 'ended' || !repeatAnswer(context, leg, ask.seq, ask.sdp)) {
    report(context, leg.call.id, { type: 'AnswerFailed', requestId: ask.seq, leg: leg.number, reason: 'cancelled' });
    return;
  }
  const fact = { type: 'LegAnswered', requestId: ask.seq, leg: leg.number, sdp: '' } as const;
  report(context, leg.call.id, { ...fact, ...recordOf(leg) });
}

/**
 * Sends the 200 until its ACK. Its bytes follow from the INVITE and the request alone, so that any edge sends the same.
 * False where a CANCEL was first.
 */
export function repeatAnswer(context: Context, leg: CallerLeg, seq: number, sdp: string): boolean {
  const { call, server, number } = leg;
  if (!server) return false;
  const options = {
    lines: [contactLine(context, leg.tag, server.arrival.peer.transport), context.allow],
    body: bodyOf(sdp),
  };
  const bytes = server.compose(200, options);
  if (!server.transmit(bytes)) return false;
  leg.state = 'answered';
  leg.said = { status: 200, options };
  tellOthers(leg);
  leg.answeredBy = seq;
  const delayed = sdpOf(server.request) === '';
  leg.unconfirmed = retransmit2xx(context, server, bytes, {
    confirmed(answer) {
      leg.unconfirmed = undefined;
      if (call.unconfirmedBy !== undefined) context.arrivals.trust(call.unconfirmedBy);
      confirmSource(context, call);
      if (delayed && answer === '') return noAnswer(context, leg);
      report(context, call.id, { type: 'LegConfirmed', leg: number, sdp: delayed ? answer : '' });
      if (leg.hangup) sendBye(context, leg, leg.hangup);
    },
    noAck: () => noAck(context, leg),
  });
  return true;
}

/** The CANCEL won: 487 was sent. */
export function cancelled(context: Context, leg: CallerLeg, cancel: SipRequest): void {
  leg.said = { status: 487, options: {} };
  tellOthers(leg);
  over(context, leg, { by: 'peer', status: 487, q850: q850Of(cancel) || 16, reason: 'cancelled' });
}

/** A final refusal to a caller who was not answered. */
export function refuse(
  context: Context,
  leg: CallerLeg,
  status: number,
  q850: number,
  lines: readonly HeaderLine[] = [],
): void {
  if (leg.state !== 'arrived') return;
  sendResponse(leg, status, { lines: [['Reason', reasonHeader(q850)], ...lines] });
  over(context, leg, { by: 'us', status, q850, reason: 'rejected' });
}

function over(
  context: Context,
  leg: CallerLeg,
  end: { by: string; status: number; q850: number; reason: string },
): void {
  if (leg.call.told) {
    endLeg(context, leg, { type: 'LegEnded', leg: leg.number, ...end });
    return;
  }
  // The story never began, so it has no end either.
  leg.state = 'ended';
  leaveAccount(context, leg.call);
  context.calls.delete(leg.call.id);
  context.link.forget(leg.call.id);
}
