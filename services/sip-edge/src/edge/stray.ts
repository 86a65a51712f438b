// A 2xx that no transaction waits for any more: acknowledged and hung up, if its branch proves that the INVITE was ours.
// Every other stray response is dropped in silence (RFC 3261 18.1.2).

import { branchOf, sipCallIdOf, verifyTag } from '@opentact/proto';
import { dialogOfCaller } from '../stack/dialog/dialog.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import type { SipResponse } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { overtaken } from './callee.ts';
import { type Context, namesOf } from './context.ts';
import { acknowledge, sendIn, wayBack } from './within.ts';

export function stray(context: Context, response: SipResponse, arrival: Arrival): void {
  if (response.cseq.method !== 'INVITE') return;
  const named = verifyTag(context.secret, textParamOf(response.from.params, 'tag') ?? '');
  if (!named) return;
  const leg = context.calls.get(named.callId)?.legs.get(named.leg);
  // Of a caller's leg the Call-ID is the caller's own: only the leg itself knows it.
  const { callId } = response;
  if (sipCallIdOf(context.secret, named.callId, named.leg) !== callId && leg?.dialog?.callId !== callId) return;
  // CSeq is 16·seq + attempt, so the branch can be made again and compared.
  const seq = response.cseq.number >>> 4;
  const attempt = response.cseq.number & 15;
  if (branchOf(context.secret, named.callId, seq, attempt) !== response.via.branch) return;
  if (overtaken(context, leg, seq, attempt)) return context.transactions.receiveResponse(response, arrival);
  if (response.status < 200 || response.status > 299 || response.headers.get('contact') === undefined) return;
  try {
    const from = response.headers.get('from')!;
    const dialog = dialogOfCaller({ ...NO_INVITE, callId: response.callId, from }, response);
    const salt = dialog.remoteTag;
    acknowledge(context, dialog, arrival.peer, namesOf(context, named.callId, seq, attempt, `ack/${salt}`));
    if (leg?.state === 'answered' && leg.dialog?.remoteTag === salt) return;
    const names = namesOf(context, named.callId, seq, 15, `fork/${salt}`);
    const own = { method: 'BYE', names };
    sendIn(context, dialog, wayBack(context, dialog, arrival.peer), own, { response() {}, failed() {} });
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
  }
}

const NO_INVITE = { method: 'INVITE', uriText: '', via: '', to: '', cseq: 0, routes: [], lines: [] };
