// The answers to one INVITE of ours, which a proxy may have forked (RFC 3261 13.2.2): each To tag is a dialog of its
// own. The first 2xx is kept; every other is acknowledged and hung up. Pure.

import { sdpOf } from '../message/bodies.ts';
import { GrammarFault } from '../message/grammar.ts';
import type { SipResponse } from '../message/message.ts';
import type { OwnRequest } from '../message/own-request.ts';
import { textParamOf } from '../message/params.ts';
import { type Dialog, dialogOfBroken, dialogOfCaller } from './dialog.ts';

/** Early dialogs beyond this many are told no apart any more; their 2xx are still acknowledged and hung up. */
export const FORKS_MAX = 16;

export type Forks = {
  readonly invite: OwnRequest;
  readonly early: readonly string[];
  /** The first description of each early dialog: it is the answer (RFC 3261 13.2.1). */
  readonly descriptions: Readonly<Record<string, string>>;
  readonly kept?: { readonly tag: string; readonly dialog: Dialog };
  readonly dropped: readonly string[];
};

export type ForkOutput =
  /** It rings somewhere: a provisional answer above 100. */
  | { type: 'rang'; status: number; response: SipResponse; first: boolean; sdp: string }
  /** The call is answered; acknowledge `dialog` and tell. */
  | { type: 'answered'; dialog: Dialog; response: SipResponse; sdp: string }
  /** The same 2xx again: its ACK was lost. */
  | { type: 'acknowledge'; dialog: Dialog }
  /** Another fork answered as well: acknowledge and, the first time, hang up. */
  | { type: 'drop'; dialog: Dialog; hangUp: boolean }
  /** The 2xx can't be used: `dialog` is good for its ACK and a BYE, which it must have all the same. */
  | { type: 'unusable'; reason: string; dialog: Dialog };

export function forksOf(invite: OwnRequest): Forks {
  return { invite, early: [], descriptions: {}, dropped: [] };
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
    return {
      forks,
      outputs: [{ type: 'unusable', reason: error.message, dialog: dialogOfBroken(forks.invite, response) }],
    };
  }
  if (!forks.kept) {
    const sdp = forks.descriptions[nameOf(tag)] ?? sdpOf(response);
    return { forks: { ...forks, kept: { tag, dialog } }, outputs: [{ type: 'answered', dialog, response, sdp }] };
  }
  if (forks.kept.tag === tag) return { forks, outputs: [{ type: 'acknowledge', dialog: forks.kept.dialog }] };
  const hangUp = !forks.dropped.includes(tag);
  const dropped = hangUp ? [...forks.dropped, tag].slice(-FORKS_MAX) : forks.dropped;
  return { forks: { ...forks, dropped }, outputs: [{ type: 'drop', dialog, hangUp }] };
}

/** A tag is outside text: no name of an object's own. */
const nameOf = (tag: string) => `tag ${tag}`;

function provisional(forks: Forks, tag: string, response: SipResponse): { forks: Forks; outputs: ForkOutput[] } {
  if (response.status === 100) return { forks, outputs: [] };
  const first = forks.early.length === 0;
  const known = forks.early.includes(tag) || forks.early.length === FORKS_MAX;
  const next = known ? forks : { ...forks, early: [...forks.early, tag] };
  const sdp = sdpOf(response);
  const isNew = sdp !== '' && next.early.includes(tag) && next.descriptions[nameOf(tag)] === undefined;
  const descriptions = isNew ? { ...next.descriptions, [nameOf(tag)]: sdp } : next.descriptions;
  const output = { type: 'rang', status: response.status, response, first, sdp: isNew ? sdp : '' } as const;
  return { forks: { ...next, descriptions }, outputs: [output] };
}
