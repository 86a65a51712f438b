// Answers a carrier's challenge with the trunk's credentials (RFC 3261 22, RFC 8760). They are used here and kept nowhere.

import { wayOf } from '../stack/dialog/dialog.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { chooseChallenge, formatAuthorization } from '../stack/message/digest.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import type { SipResponse } from '../stack/message/message.ts';
import type { Leg } from './call.ts';
import type { Names } from './context.ts';

/**
 * The header line that answers a 401 or 407 to a request of that method; undefined where there is no challenge, none that
 * can be answered, or no trunk. The client nonce is derived from the branch that was challenged.
 */
export function proofOf(leg: Leg, response: SipResponse, method: string, challenged: Names): HeaderLine | undefined {
  const { status, headers } = response;
  if ((status !== 401 && status !== 407) || leg.kind !== 'callee' || !leg.trunk?.user) return undefined;
  try {
    const challenge = chooseChallenge(headers.lines(status === 407 ? 'proxy-authenticate' : 'www-authenticate'));
    // A second refusal means the password is wrong, unless the nonce was only too old (RFC 7616 3.5).
    if (!challenge || (leg.state === 'dialling' && leg.challenged && !challenge.stale)) return undefined;
    const uri = leg.dialog ? wayOf(leg.dialog).uriText : leg.invite!.uriText;
    const proof = { method, uri, cnonce: challenged.branch.slice(-16), nonceCount: 1 };
    const name = status === 407 ? 'Proxy-Authorization' : 'Authorization';
    return [name, formatAuthorization(challenge, leg.trunk, proof)];
  } catch (error) {
    if (error instanceof GrammarFault) return undefined;
    throw error;
  }
}
