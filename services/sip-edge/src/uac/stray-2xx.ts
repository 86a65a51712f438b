// A 2xx that no transaction waits for any more: acknowledged and hung up, if its branch proves that the INVITE was ours.
// Every other stray response is dropped in silence (RFC 3261 18.1.2).

import { branchOf, sipCallIdOf, verifyTag } from '@opentact/proto';
import { type Context, namesOf } from '../edge/context.ts';
import { type Dialog, dialogOfBroken, dialogOfCaller } from '../stack/dialog/dialog.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import type { SipResponse } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import { type Arrival, formatAddress } from '../stack/transport/peer.ts';
import { byeBecause } from './bye.ts';
import { overtaken } from './callee.ts';
import { acknowledge, sendIn } from './in-dialog-request.ts';

export function handleStray2xx(context: Context, response: SipResponse, arrival: Arrival): void {
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
  if (response.status < 200 || response.status > 299) return;
  const from = response.headers.get('from')!;
  const uriText = `sip:${formatAddress(arrival.peer)}`;
  const invite = { ...NO_INVITE, callId: response.callId, from, uriText };
  const finish = (dialog: Dialog) => {
    const salt = dialog.remoteTag;
    const through = { dialog, cameFrom: arrival.peer, leg };
    acknowledge(context, through, namesOf(context, named.callId, seq, attempt, `ack/${salt}`));
    if (leg?.state === 'answered' && leg.dialog?.remoteTag === salt) return;
    sendIn(context, through, byeBecause(context, named.callId, seq, `fork/${salt}`));
  };
  try {
    finish(dialogOfCaller(invite, response));
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    finish(dialogOfBroken(invite, response));
  }
}

const NO_INVITE = { method: 'INVITE', uriText: '', via: '', to: '', cseq: 0, routes: [], lines: [] };
