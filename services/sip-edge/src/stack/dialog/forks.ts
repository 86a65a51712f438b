// The answers to one INVITE of ours, which a proxy may have forked (RFC 3261 13.2.2): each To tag is a dialog of its
// own. The first 2xx is kept; every other is acknowledged and hung up. Pure.

import { GrammarFault } from '../message/grammar.ts';
import type { SipResponse } from '../message/message.ts';
import type { OwnRequest } from '../message/own-request.ts';
import { textParamOf } from '../message/params.ts';
import { type Dialog, dialogOfCaller } from './dialog.ts';

/** Early dialogs beyond this many are told no apart any more; their 2xx are still acknowledged and hung up. */
export const FORKS_MAX = 16;

export type Forks = {
  readonly invite: OwnRequest;
  readonly early: readonly string[];
  readonly kept?: { readonly tag: string; readonly dialog: Dialog };
  readonly dropped: readonly string[];
};

export type ForkOutput =
  /** It rings somewhere: a provisional answer above 100. */
  | { type: 'rang'; status: number; response: SipResponse; first: boolean }
  /** The call is answered; acknowledge `dialog` and tell. */
  | { type: 'answered'; dialog: Dialog; response: SipResponse }
  /** The same 2xx again: its ACK was lost. */
  | { type: 'acknowledge'; dialog: Dialog }
  /** Another fork answered as well: acknowledge and, the first time, hang up. */
  | { type: 'drop'; dialog: Dialog; hangUp: boolean }
  /** The 2xx can't be used: no Contact to send an ACK to. */
  | { type: 'unusable'; reason: string };

export function forksOf(invite: OwnRequest): Forks {
  return { invite, early: [], dropped: [] };
}

/** Takes a provisional or 2xx answer; refusals end the whole INVITE and don't come here. */
export function forkTransition(forks: Forks, response: SipResponse): { forks: Forks; outputs: ForkOutput[] } {
  const tag = textParamOf(response.to.params, 'tag') ?? '';
  if (response.status < 200) return provisional(forks, tag, response);
  let dialog: Dialog;
  try {
    dialog = dialogOfCaller(forks.invite, response);
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    return { forks, outputs: [{ type: 'unusable', reason: error.message }] };
  }
  if (!forks.kept)
    return { forks: { ...forks, kept: { tag, dialog } }, outputs: [{ type: 'answered', dialog, response }] };
  if (forks.kept.tag === tag) return { forks, outputs: [{ type: 'acknowledge', dialog: forks.kept.dialog }] };
  const hangUp = !forks.dropped.includes(tag);
  const dropped = hangUp ? [...forks.dropped, tag].slice(-FORKS_MAX) : forks.dropped;
  return { forks: { ...forks, dropped }, outputs: [{ type: 'drop', dialog, hangUp }] };
}

function provisional(forks: Forks, tag: string, response: SipResponse): { forks: Forks; outputs: ForkOutput[] } {
  if (response.status === 100) return { forks, outputs: [] };
  const first = forks.early.length === 0;
  const known = forks.early.includes(tag) || forks.early.length === FORKS_MAX;
  const next = known ? forks : { ...forks, early: [...forks.early, tag] };
  return { forks: next, outputs: [{ type: 'rang', status: response.status, response, first }] };
}
