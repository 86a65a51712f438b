// The Contacts of a 3xx to our INVITE (RFC 3261 8.1.3.4): tried one after the other, best first, none twice, TARGETS_MAX in
// all. It refuses what is no sip address; whether an address may be dialled is judged where it is looked up.

import { GrammarFault } from '../stack/message/grammar.ts';
import type { SipResponse } from '../stack/message/message.ts';
import { parseNameAddr } from '../stack/message/name-addr.ts';
import { paramOf } from '../stack/message/params.ts';
import { formatUri } from '../stack/message/uri.ts';

/** Of one leg, the one that it was dialled at among them. */
const TARGETS_MAX = 5;

export type Redirects = { readonly waiting: string[]; readonly known: Set<string> };

export const noRedirects = (): Redirects => ({ waiting: [], known: new Set() });

/** Remembers the Contacts that were not tried yet. @param tried the Request-URI that was answered. */
export function learnContacts({ waiting, known }: Redirects, tried: string, response: SipResponse): void {
  known.add(tried.toLowerCase());
  for (const uri of contactsOf(response)) {
    if (known.size >= TARGETS_MAX || known.has(uri.toLowerCase())) continue;
    known.add(uri.toLowerCase());
    waiting.push(uri);
  }
}

function contactsOf({ headers }: SipResponse): string[] {
  try {
    const contacts = headers.list('contact').flatMap((value) => {
      const { uri, params } = parseNameAddr(value);
      if (uri.kind !== 'sip' || uri.scheme !== 'sip') return [];
      // Headers of an address would write ours (RFC 3261 19.1.5).
      const { headers: _, ...plain } = uri;
      const q = Number(paramOf(params, 'q') ?? '1');
      return [{ text: formatUri(plain), q: q >= 0 && q <= 1 ? q : 0 }];
    });
    return contacts.sort((a, b) => b.q - a.q).map(({ text }) => text);
  } catch (error) {
    if (error instanceof GrammarFault) return [];
    throw error;
  }
}
