// A dialog as data (RFC 3261 12): who talks to whom, by which route, and what the peer's requests may still number.
// Pure: our own tags, branches and CSeq numbers come from the caller. It refuses requests that go back in number.

import type { HeaderLine } from '../message/build.ts';
import { GrammarFault, splitCommas } from '../message/grammar.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import type { OwnRequest } from '../message/own-request.ts';
import { paramOf, textParamOf } from '../message/params.ts';
import { formatUri } from '../message/uri.ts';

/** `localAddress` and `remoteAddress` are From and To values with their tags; `routes` in the order we travel them. */
export type Dialog = {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly remoteTarget: string;
  readonly routes: readonly string[];
  /** Highest CSeq number heard; undefined until the peer sent a request. */
  readonly remoteCSeq?: number;
};

const ROUTES_MAX = 32;

/** The dialog as the callee sees it (RFC 3261 12.1.1). Throws GrammarFault where the INVITE has no usable Contact. */
export function dialogOfCallee(invite: SipRequest, localTag: string): Dialog {
  return {
    callId: invite.callId,
    localTag,
    remoteTag: textParamOf(invite.from.params, 'tag') ?? '',
    localAddress: withTag(invite.headers.get('to')!, invite.to.params, localTag),
    remoteAddress: invite.headers.get('from')!,
    // Callers older than RFC 3261 need not send a Contact; their From is then all there is.
    remoteTarget: invite.headers.get('contact') === undefined ? invite.from.uriText : contactOf(invite),
    routes: bounded(invite.headers.list('record-route')),
    remoteCSeq: invite.cseq.number,
  };
}

/** The dialog as the caller sees it, of an answer (RFC 3261 12.1.2). Throws GrammarFault where its Contact is broken. */
export function dialogOfCaller(invite: OwnRequest, response: SipResponse): Dialog {
  const localTag = textParamOf(response.from.params, 'tag') ?? '';
  return {
    callId: invite.callId,
    localTag,
    remoteTag: textParamOf(response.to.params, 'tag') ?? '',
    localAddress: invite.from,
    remoteAddress: response.headers.get('to')!,
    remoteTarget: response.headers.get('contact') === undefined ? invite.uriText : contactOf(response),
    routes: bounded(response.headers.list('record-route')).reverse(),
  };
}

/** As `dialogOfCaller`, for a 2xx that it refuses: enough to acknowledge and hang up whoever answered (RFC 3261 13.2.2.4). */
export function dialogOfBroken(invite: OwnRequest, response: SipResponse): Dialog {
  const { from, to, headers } = response;
  return {
    callId: invite.callId,
    localTag: textParamOf(from.params, 'tag') ?? '',
    remoteTag: textParamOf(to.params, 'tag') ?? '',
    localAddress: invite.from,
    remoteAddress: headers.get('to')!,
    remoteTarget: invite.uriText,
    routes: [],
  };
}

function withTag(line: string, params: SipRequest['to']['params'], tag: string): string {
  return paramOf(params, 'tag') === undefined ? `${line};tag=${tag}` : line;
}

function bounded(routes: string[]): string[] {
  if (routes.length > ROUTES_MAX) throw new GrammarFault('too many Record-Route values');
  return routes;
}

/** The first Contact's URI, a SIP one. Throws GrammarFault. */
export function contactOf(message: SipRequest | SipResponse): string {
  const line = message.headers.get('contact');
  if (line === undefined) throw new GrammarFault('Contact is missing');
  const contact = parseNameAddr(splitCommas(line)[0]!);
  if (contact.uri.kind !== 'sip' || contact.uri.scheme !== 'sip') throw new GrammarFault('Contact is no sip address');
  // Headers of an address are for whoever composes a new request from it, never for a Request-URI (RFC 3261 19.1.1).
  const { headers, ...uri } = contact.uri;
  return headers === undefined ? contact.uriText : formatUri(uri);
}

/** What a request within the dialog says about it. */
export type Heard = { ok: true; dialog: Dialog } | { ok: false; status: number; reason: string };

/** The peer's request: its number must rise (RFC 3261 12.2.2), its Contact may move the target (12.2.2, 14). */
export function acceptInDialogRequest(dialog: Dialog, request: SipRequest): Heard {
  if (dialog.remoteCSeq !== undefined && request.cseq.number < dialog.remoteCSeq) {
    return { ok: false, status: 500, reason: 'CSeq is lower than the last' };
  }
  const next: Dialog = { ...dialog, remoteCSeq: request.cseq.number };
  return { ok: true, dialog: request.method === 'INVITE' ? retarget(next, request) : next };
}

/** A re-INVITE or its 2xx without a Contact keeps the target. A broken Contact does as well. */
export function retarget(dialog: Dialog, message: SipRequest | SipResponse): Dialog {
  try {
    return message.headers.get('contact') === undefined ? dialog : { ...dialog, remoteTarget: contactOf(message) };
  } catch (error) {
    if (error instanceof GrammarFault) return dialog;
    throw error;
  }
}

/** Where a request of the dialog is sent (`hopUri`), its Request-URI (`uriText`) and its Route (RFC 3261 12.2.1.1). */
export type NextHop = { readonly uriText: string; readonly routes: readonly string[]; readonly hopUri: string };

export function nextHopOf(dialog: Dialog): NextHop {
  const [first, ...others] = dialog.routes;
  if (first === undefined) return { uriText: dialog.remoteTarget, routes: [], hopUri: dialog.remoteTarget };
  const { uri, uriText } = parseNameAddr(first);
  const loose = uri.kind === 'sip' && paramOf(uri.params, 'lr') !== undefined;
  if (loose) return { uriText: dialog.remoteTarget, routes: dialog.routes, hopUri: uriText };
  // A strict router wants itself in the Request-URI and the target last.
  return { uriText, routes: [...others, `<${dialog.remoteTarget}>`], hopUri: uriText };
}

/** A request of ours within the dialog. `via` holds the branch, `cseq` the number, both of the caller's story. */
export function requestWithin(
  dialog: Dialog,
  own: { method: string; via: string; cseq: number; lines?: readonly HeaderLine[]; sdp?: string },
): OwnRequest {
  const { uriText, routes } = nextHopOf(dialog);
  return {
    method: own.method,
    uriText,
    via: own.via,
    from: dialog.localAddress,
    to: dialog.remoteAddress,
    callId: dialog.callId,
    cseq: own.cseq,
    routes,
    lines: own.lines ?? [],
    ...(own.sdp ? { body: { type: 'application/sdp', bytes: Buffer.from(own.sdp) } } : {}),
  };
}
