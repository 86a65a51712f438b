// Whether a caller doesn't want to be known: no user, `anonymous` in From, or Privacy that asks for it (RFC 3323, 3325).
// It never guesses from a display name, which any phone fills as it likes.

import type { SipRequest } from '../stack/message/message.ts';

const ASKS = /^(?:id|user|header)$/i;

export function isCallerIdRestricted({ from, headers }: SipRequest): boolean {
  const { uri } = from;
  const user = uri.kind === 'sip' ? (uri.user ?? '') : uri.rest;
  if (user === '' || /^anonymous(?:;|$)/i.test(user)) return true;
  if (uri.kind === 'sip' && uri.host === 'anonymous.invalid') return true;
  return (headers.get('privacy') ?? '').split(/[;,]/).some((value) => ASKS.test(value.trim()));
}
