// BYE, for whatever reason we send one: asked for by the flow, or by ourselves, since a peer broke the rules or is not to
// be heard any more. A leg that the flow hangs up gets one BYE; a carrier that wants proof for it gets the same BYE with
// proof, under the next attempt.

import type { CallEvent, FactOf } from '@opentact/proto';
import { withTrunk } from '../admission/accounts.ts';
import { isOurs, type Leg } from '../edge/call.ts';
import { reasonHeader } from '../edge/causes.ts';
import {
  type AccountLookUp,
  type CallKeeping,
  type Context,
  endLeg,
  type Names,
  namesOf,
  type Sending,
} from '../edge/context.ts';
import { nextHopOf } from '../stack/dialog/dialog.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { digestAuthorization } from './digest-authorization.ts';
import { type InDialogRequest, sendOnce, sendWithin } from './in-dialog-request.ts';

/** A proxy and whoever is behind it may ask each for themselves. */
const PROOFS_MAX = 2;

type Hangup = CallEvent<FactOf<'HangupRequested'>>;
type ByeSending = Sending & CallKeeping & AccountLookUp & Pick<Context, 'secret' | 'realms'>;

/** BYE; the leg is over when it is answered, whatever the answer, or when nobody answers. */
export function sendBye(context: ByeSending, leg: Leg, ask: Hangup): void {
  if (leg.byeSent) return;
  leg.byeSent = true;
  attempt(context, leg, ask, 0, []);
}

function attempt(context: ByeSending, leg: Leg, ask: Hangup, count: number, proof: readonly HeaderLine[]): void {
  const q850 = ask.q850 || 16;
  const end = (reason: string) =>
    void endLeg(context, leg, { type: 'LegEnded', leg: leg.number, by: 'us', status: 0, q850, reason });
  const names = namesOf(context, leg.call.id, ask.seq, count);
  const bye = byeOf(names, q850, proof);
  sendWithin(context, leg, bye, {
    response(response, arrival, peer) {
      if (response.status < 200) return;
      withTrunk(context, leg, response.status, () => {
        if (!isOurs(leg)) return;
        const { uriText } = nextHopOf(leg.dialog!);
        const asked = { method: bye.method, uriText, peer, names, lines: proof };
        const heard = { response, source: arrival.source };
        const wanted = count < PROOFS_MAX ? digestAuthorization(context, leg, heard, asked) : undefined;
        if (wanted) attempt(context, leg, ask, count + 1, wanted);
        else end('bye');
      });
    },
    failed: () => end('transport'),
  });
}

/** Every BYE is built here. @param q850 its Reason (RFC 3326); 0: none */
function byeOf(names: Names, q850: number, proof: readonly HeaderLine[] = []): InDialogRequest {
  const reason: HeaderLine[] = q850 === 0 ? [] : [['Reason', reasonHeader(q850)]];
  return { method: 'BYE', names, lines: [...reason, ...proof] };
}

/** A BYE that no request asked for: it is named after the latest request `seq` and after why it is sent. */
export function byeBecause(
  context: Pick<Context, 'secret'>,
  callId: string,
  seq: number,
  why: string,
  q850 = 0,
): InDialogRequest {
  return byeOf(namesOf(context, callId, seq, 15, why), q850);
}

/**
 * Nobody acknowledged our 2xx in 64·T1 (RFC 3261 13.3.1.4, 14.2): BYE, and the leg is over. A source that never
 * acknowledged anything may be forged: it gets one copy, back the way the INVITE came, whatever its Contact says.
 */
export function noAck(context: ByeSending, leg: Leg): void {
  const bye = byeBecause(context, leg.call.id, leg.lastSeq, `no-ack/${leg.number}`, 102);
  if (leg.kind === 'caller' && leg.server && !context.transactions.isProven(leg.server.arrival))
    sendOnce(context, leg.dialog!, leg.server.arrival.peer, bye);
  else sendWithin(context, leg, bye);
  endLeg(context, leg, { type: 'LegEnded', leg: leg.number, by: 'peer', status: 0, q850: 102, reason: 'no-ack' });
}

/** The ACK of our 200 with an offer brought no answer (RFC 3261 13.2.1): nothing will ever be heard, so BYE at once. */
export function noAnswer(context: ByeSending, leg: Leg): void {
  sendWithin(context, leg, byeBecause(context, leg.call.id, leg.lastSeq, `no-answer/${leg.number}`, 88));
  endLeg(context, leg, { type: 'LegEnded', leg: leg.number, by: 'peer', status: 0, q850: 88, reason: 'bad-sdp' });
}

/** The peer says that it has no such dialog, or nothing at all (RFC 3261 12.2.1.2): BYE all the same. */
export function noDialog(context: ByeSending, leg: Leg): void {
  sendWithin(context, leg, byeBecause(context, leg.call.id, leg.lastSeq, `lost/${leg.number}`));
  endLeg(context, leg, { type: 'LegEnded', leg: leg.number, by: 'peer', status: 0, q850: 41, reason: 'no-dialog' });
}
