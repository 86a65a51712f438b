// BYE, for whatever reason we send one: the flow's wish, or a caller who never acknowledged our answer.
// A leg gets one BYE; a carrier that wants proof for it gets the same BYE with proof, under the next attempt.

import type { CallEvent, FactOf } from '@opentact/proto';
import type { HeaderLine } from '../stack/message/build.ts';
import { withTrunk } from './accounts.ts';
import { isOurs, type Leg } from './call.ts';
import { reasonHeader } from './causes.ts';
import { type Context, endLeg, namesOf } from './context.ts';
import { proofOf } from './proof.ts';
import { sendWithin } from './within.ts';

type Hangup = CallEvent<FactOf<'HangupRequested'>>;

/** BYE; the leg is over when it is answered, whatever the answer, or when nobody answers. */
export function sendBye(context: Context, leg: Leg, ask: Hangup): void {
  if (leg.byeSent) return;
  leg.byeSent = true;
  attempt(context, leg, ask, 0, []);
}

function attempt(context: Context, leg: Leg, ask: Hangup, count: number, proof: readonly HeaderLine[]): void {
  const q850 = ask.q850 || 16;
  const end = (reason: string) =>
    void endLeg(context, leg, { type: 'LegEnded', leg: leg.number, by: 'us', status: 0, q850, reason });
  const names = namesOf(context, leg.call.id, ask.seq, count);
  const lines: HeaderLine[] = [['Reason', reasonHeader(q850)], ...proof];
  sendWithin(
    context,
    leg,
    { method: 'BYE', names, lines },
    {
      response(response) {
        if (response.status < 200) return;
        withTrunk(context, leg, response.status, () => {
          if (!isOurs(leg)) return;
          const wanted = count === 0 ? proofOf(leg, response, 'BYE', names) : undefined;
          if (wanted) attempt(context, leg, ask, 1, [wanted]);
          else end('bye');
        });
      },
      failed: () => end('transport'),
    },
  );
}

/** Nobody acknowledged our 2xx in 64·T1 (RFC 3261 13.3.1.4, 14.2): BYE, and the leg is over. */
export function noAck(context: Context, leg: Leg): void {
  const names = namesOf(context, leg.call.id, leg.lastSeq, 15, `no-ack/${leg.number}`);
  const lines: HeaderLine[] = [['Reason', reasonHeader(102)]];
  sendWithin(context, leg, { method: 'BYE', names, lines }, { response() {}, failed() {} });
  endLeg(context, leg, { type: 'LegEnded', leg: leg.number, by: 'peer', status: 0, q850: 102, reason: 'no-ack' });
}
