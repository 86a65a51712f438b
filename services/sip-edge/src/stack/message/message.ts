// What a parsed SIP message is: plain fields for what every message needs, raw text for the rest.
// All text is latin-1, one character a byte, so that whatever is echoed goes back byte for byte.

import type { CSeq, Via } from './fields.ts';
import { splitCommas } from './grammar.ts';
import type { NameAddr } from './name-addr.ts';
import type { Uri } from './uri.ts';

/** Headers in their order. Names are lower case and in long form; values are unfolded and trimmed. */
export class Headers {
  readonly names: string[] = [];
  readonly values: string[] = [];

  add(name: string, value: string): void {
    this.names.push(name);
    this.values.push(value);
  }

  /** First value of that name, as it stands in its line. */
  get(name: string): string | undefined {
    const at = this.names.indexOf(name);
    return at < 0 ? undefined : this.values[at];
  }

  /** The lines of that name, not divided at commas. */
  lines(name: string): string[] {
    const found: string[] = [];
    for (let at = 0; at < this.names.length; at++) if (this.names[at] === name) found.push(this.values[at]!);
    return found;
  }

  /** The values of that name, divided at commas; for headers of the form `1#value` only. Throws GrammarFault. */
  list(name: string): string[] {
    return this.lines(name).flatMap(splitCommas);
  }

  count(name: string): number {
    let count = 0;
    for (const here of this.names) if (here === name) count++;
    return count;
  }
}

type Common = {
  readonly headers: Headers;
  readonly via: Via;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: CSeq;
  readonly body: Buffer;
  /** The message as it came, without what followed it in a datagram. */
  readonly raw: Buffer;
};

export type SipRequest = Common & {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: Uri;
  readonly uriText: string;
};

export type SipResponse = Common & { readonly kind: 'response'; readonly status: number; readonly reason: string };

export type SipMessage = SipRequest | SipResponse;

/**
 * Why a message can't be used. `reason` names the fault and may stand as the reason phrase.
 * `headers` holds what was read, for the echo of an answer; only faults with `method` can be answered.
 */
export type Fault = {
  readonly kind: 'fault';
  readonly status: number;
  readonly reason: string;
  readonly method?: string;
  readonly headers?: Headers;
};

const COMPACT: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const KNOWN_NAMES = new Map<string, string>();
for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Max-Forwards', 'Content-Type']) {
  KNOWN_NAMES.set(name, name.toLowerCase());
}
for (const name of ['Content-Length', 'User-Agent', 'Allow', 'Supported', 'Subject', 'Route', 'Record-Route']) {
  KNOWN_NAMES.set(name, name.toLowerCase());
}

/** Lower-case long form of a header's name. */
export function canonicalName(name: string): string {
  const known = KNOWN_NAMES.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  return lower.length === 1 ? (COMPACT[lower] ?? lower) : lower;
}
