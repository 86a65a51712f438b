/**
 * A story without the people in it, for a test that is kept for ever: telephone numbers, addresses of phones, the INVITE,
 * recognised words, secrets of headers, and who owns what the call came by. The same number becomes the same other number everywhere, so that the call
 * is still the same call. Texts and servers' names of documents stay.
 */
import type { CallEvent } from '@opentact/proto';

/** The events with other numbers and addresses. */
export function redact(events: CallEvent[]): CallEvent[] {
  const names = new Names(events);
  return events.map((event) => each(event, names) as CallEvent);
}

const SDP = new Set(['sdp', 'offer', 'answerSdp', 'described']);
/** Where phones and proxies stand. */
const ADDRESSES = new Set(['sourceAddress', 'requestUri', 'sipCallId', 'dialog', 'media', 'peer']);

/** Of whose a call is and what it came by only these stay, and its ids: the rest says who somebody is. */
const IMPERSONAL = /Id$|^(?:level|number|shakenMinimumAcceptedAttestLvl)$/;

function each(value: unknown, names: Names, name = '', isAddress = false): unknown {
  if (name === 'attribution') return impersonal(value, names);
  if (value instanceof Uint8Array) return Buffer.alloc(0);
  if (typeof value === 'string') return text(value, names, name, isAddress);
  if (Array.isArray(value)) return value.map((part) => each(part, names, name, isAddress));
  if (typeof value !== 'object' || value === null) return value;
  const said = 'type' in value && value.type === 'TranscriptReady' ? { ...value, text: 'words' } : value;
  return Object.fromEntries(
    Object.entries(said).map(([key, part]) => [key, each(part, names, key, isAddress || ADDRESSES.has(key))]),
  );
}

function impersonal(value: unknown, names: Names, name = ''): unknown {
  if (typeof value === 'string') return IMPERSONAL.test(name) ? names.numbers(value) : name;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, impersonal(part, names, key)]));
}

function text(value: string, names: Names, name: string, isAddress: boolean): string {
  if (name === 'invite') return '';
  if (SDP.has(name)) return names.sdp(value);
  // A display name is a person's.
  return isAddress ? names.hosts(names.numbers(value.replace(/"[^"]*"\s*</g, '<'))) : names.numbers(value);
}

const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
/** What only looks like a number, then what is one: ten to fifteen digits, perhaps in groups. */
const NUMBERS =
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b\d{1,3}(?:\.\d{1,3}){3}\b|\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?|(?:(?<![\w.])|(?<=%2B))\+?\(?\d(?:[ ().-]{0,2}\d){9,14}(?![\w])/gi;
const SECRET = /auth|token|secret|key|cookie|password/i;

/** The other names of everything, each made once. */
class Names {
  readonly #numbers = new Map<string, string>();
  readonly #hosts = new Map<string, string>();
  /** Found by where they stand, replaced wherever they stand. */
  readonly #literal = new Map<string, string>();

  constructor(events: CallEvent[]) {
    for (const event of events) {
      if (event.type === 'CallArrived' || event.type === 'CallOrdered')
        for (const user of [event.fromNumber, event.toNumber]) this.#person(user);
      if (event.type === 'DialRequested')
        for (const user of [event.fromUser, event.target]) this.#person(user.replace(/^tel:/, ''));
      if (event.type === 'DocumentRequested') this.#secrets(event.headers);
      // A Curl that never ran has its headers in its document all the same.
      if (event.type === 'DocumentAccepted')
        JSON.parse(event.verbs, (key, value) => (key === 'headers' ? this.#secrets(value) : value));
    }
  }

  #secrets(headers: Array<{ name: string; value: string }>): void {
    for (const { name, value } of headers)
      if (SECRET.test(name) && value.length >= 6) this.#literal.set(value, 'x'.repeat(value.length));
  }

  /** A short number, or a name, that only its place tells. */
  #person(user: string): void {
    if (/^\+?\d{7,9}$/.test(user)) this.#literal.set(user.replace('+', ''), this.#other(user.replace('+', '')));
    else if (/^[a-z][\w.-]{2,}$/i.test(user) && !this.#literal.has(user))
      this.#literal.set(user, `user-${this.#literal.size + 1}`);
  }

  numbers(value: string): string {
    const found = value.replace(NUMBERS, (match) => {
      const digits = match.replace(/\D/g, '');
      const isNumber = !/^[0-9a-f]{8}-|^\d{1,3}(\.\d{1,3}){3}$|^\d{4}-\d\d-\d\d/i.test(match) && digits.length >= 10;
      if (!isNumber) return match;
      const other = [...this.#other(digits)];
      return match.replace(/\d/g, () => other.shift()!);
    });
    let result = found;
    for (const [word, other] of this.#literal)
      result = result.replaceAll(
        new RegExp(`(?<![\\w])${word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w])`, 'g'),
        other,
      );
    return result;
  }

  /** As many digits, of the numbers that belong to nobody; with and without a leading 1 it is the same. */
  #other(digits: string): string {
    const isNational = digits.length === 11 && digits.startsWith('1');
    const key = isNational ? digits.slice(1) : digits;
    const known = this.#numbers.get(key);
    const n = this.#numbers.size;
    const made =
      known ??
      `${'9'.repeat(Math.max(0, key.length - 10))}${202 + Math.floor(n / 100)}55501${String(n % 100).padStart(2, '0')}`.slice(
        -key.length,
      );
    this.#numbers.set(key, made);
    return isNational ? `1${made}` : made;
  }

  hosts(value: string): string {
    return value.replace(IPV4, (host) => {
      const other = this.#hosts.get(host) ?? `192.0.2.${(this.#hosts.size % 250) + 1}`;
      this.#hosts.set(host, other);
      return other;
    });
  }

  sdp(value: string): string {
    return this.hosts(value.replace(/^o=\S+/gm, 'o=-').replace(/^(s=|i=|u=|e=|p=).*$/gm, '$1-'));
  }
}
