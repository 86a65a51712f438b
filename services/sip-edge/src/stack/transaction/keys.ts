// Which transaction a message belongs to (RFC 3261 17.1.3 and 17.2.3), as a string to look up.
// A request without a branch of RFC 3261 is matched as RFC 2543 did, by everything that must not differ.

import { MAGIC_COOKIE, type Via } from '../message/fields.ts';
import type { SipRequest } from '../message/message.ts';
import { textParamOf } from '../message/params.ts';

/** Methods share a key with the INVITE they acknowledge or cancel, so that all three find its transaction. */
export type ServerKeys = { readonly own: string; readonly invite: string };

/**
 * The transport is part of it, since answers go back on the transport of arrival; so are Call-ID and CSeq number, which
 * no repetition changes, so that a client which reuses its branches only confuses itself.
 */
export function serverKeys(request: SipRequest, transport: string): ServerKeys {
  const base = hasUniqueBranch(request.via) ? branchBase(request) : oldBase(request);
  const method = request.method === 'ACK' ? 'INVITE' : request.method;
  return { own: `${method} ${transport} ${base}`, invite: `INVITE ${transport} ${base}` };
}

/** A branch that is only the cookie identifies nothing (RFC 4475 3.2.1). */
function hasUniqueBranch(via: Via): boolean {
  return via.branch.length > MAGIC_COOKIE.length && via.branch.startsWith(MAGIC_COOKIE);
}

// RFC 3261 17.2.3: branch, sent-by (host and port).
function branchBase({ via, callId, cseq }: SipRequest): string {
  return `${via.branch} ${via.host}:${via.port ?? 5060} ${cseq.number} ${callId}`;
}

// RFC 3261 17.2.3, last part. The To tag is left out: an ACK carries ours, its INVITE does not.
function oldBase(request: SipRequest): string {
  const tag = textParamOf(request.from.params, 'tag') ?? '';
  const { via } = request;
  return `2543 ${request.uriText} ${tag} ${request.callId} ${request.cseq.number} ${via.host}:${via.port ?? 5060} ${via.branch}`;
}

/** Our own branches are unique by derivation; the method tells a CANCEL's answer from its INVITE's (RFC 3261 17.1.3). */
export function clientKey(branch: string, method: string): string {
  return `${method} ${branch}`;
}
