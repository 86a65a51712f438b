// What a leg was challenged with, so that its next requests are answered at once (uac/digest-authorization.ts). It holds no
// password.

import type { Challenge } from '../stack/message/digest.ts';

/** By the status of the challenge. */
export const AUTHORIZATION_HEADERS = { 401: 'Authorization', 407: 'Proxy-Authorization' } as const;
type HeaderName = (typeof AUTHORIZATION_HEADERS)[keyof typeof AUTHORIZATION_HEADERS];

/** What a leg was challenged with, and how often each nonce was used (RFC 7616 3.4, `nc`). */
export type Credentials = {
  readonly challenges: Map<HeaderName, Challenge>;
  readonly counts: Map<string, number>;
};

export const noCredentials = (): Credentials => ({ challenges: new Map(), counts: new Map() });
