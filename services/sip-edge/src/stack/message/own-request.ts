// A request of ours before it is bytes, and the ACK and CANCEL that follow from it.
// Names on the wire (branch, tags, Call-ID, CSeq) are given by the caller, who derives them from the story.

import { formatMessage, type HeaderLine } from './build.ts';
import type { SipResponse } from './message.ts';

/** All fields are whole header values; `routes` are Route values in the order they are travelled. */
export type OwnRequest = {
  readonly method: string;
  readonly uriText: string;
  readonly via: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  readonly routes: readonly string[];
  readonly lines: readonly HeaderLine[];
  readonly body?: { readonly type: string; readonly bytes: Buffer };
};

const MAX_FORWARDS = '70';

/** Throws GrammarFault where a value holds a line end. */
export function formatOwnRequest(request: OwnRequest): Buffer {
  const lines: HeaderLine[] = [
    ['Via', request.via],
    ['Max-Forwards', MAX_FORWARDS],
    ['From', request.from],
    ['To', request.to],
    ['Call-ID', request.callId],
    ['CSeq', `${request.cseq} ${request.method}`],
  ];
  for (const route of request.routes) lines.push(['Route', route]);
  lines.push(...request.lines);
  if (request.body) lines.push(['Content-Type', request.body.type]);
  return formatMessage(`${request.method} ${request.uriText} SIP/2.0`, lines, request.body?.bytes);
}

/** The ACK of a refusal: the INVITE's own branch, the answer's To (RFC 3261 17.1.1.3). */
export function ackOfRefusal(invite: OwnRequest, response: SipResponse): OwnRequest {
  return { ...without(invite), method: 'ACK', to: response.headers.get('to')! };
}

/** The CANCEL of an INVITE: everything as in the INVITE but method and body (RFC 3261 9.1). */
export function cancelOf(invite: OwnRequest, lines: readonly HeaderLine[] = []): OwnRequest {
  return { ...without(invite), method: 'CANCEL', lines };
}

function without(invite: OwnRequest): OwnRequest {
  const { body: _, ...rest } = invite;
  return { ...rest, lines: [] };
}
