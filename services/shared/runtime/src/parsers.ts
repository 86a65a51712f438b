/** How the text of one variable becomes a value. Each throws an Error whose message completes “NAME …”. */
import { isIP } from 'node:net';

export const text = (value: string): string => value;

export function oneOf<const T extends string>(...choices: T[]): (value: string) => T {
  return (value) => {
    if (!(choices as string[]).includes(value)) throw new Error(`must be one of ${choices.join(', ')}`);
    return value as T;
  };
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      throw new Error(`must be a whole number from ${min} to ${max}`);
    return number;
  };
}

/** A port; 0 lets the system choose. */
export const port = integer(0, 65_535);

/** `first-last`, both included, even first so that RTP and RTCP pair up. */
export function portRange(value: string): { first: number; last: number } {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(value);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || first < 1024 || last > 65_535 || last - first < 1)
    throw new Error('must be FIRST-LAST, two ports from 1024 to 65535 with at least two ports between them');
  return { first: first + (first % 2), last };
}

export function ipAddress(value: string): string {
  if (isIP(value) === 0) throw new Error('must be an IPv4 or IPv6 address');
  return value;
}

/** An address that others can reach: a wildcard would end up in Via, Contact and SDP. */
export function reachableAddress(value: string): string {
  if (isWildcard(ipAddress(value))) throw new Error('must be one address that others can reach, not a wildcard');
  return value;
}

export const isWildcard = (address: string): boolean => /^(0\.0\.0\.0|[0:]+)$/.test(address);
export const isLoopback = (address: string): boolean => /^(127\.|::1$|::ffff:127\.)/i.test(address);

/** A comma-separated list without empty entries. */
export function list(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

export function url(...protocols: string[]): (value: string) => string {
  return (value) => {
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol))
      throw new Error(`must be a URL beginning with ${protocols.map((p) => `${p}//`).join(' or ')}`);
    return value;
  };
}

/** A URL that names no user: a password in it would be read wherever the address is. */
export function plainUrl(...protocols: string[]): (value: string) => string {
  return (value) => {
    const { username, password } = new URL(url(...protocols)(value));
    if (username || password) throw new Error('must hold no user and no password');
    return value;
  };
}

/** Addresses and CIDRs, comma-separated: `10.0.0.7,192.0.2.0/24`. */
export function networks(value: string): string[] {
  return list(value).map((entry) => {
    const [address = '', prefix, ...rest] = entry.split('/');
    const bits = isIP(address) === 6 ? 128 : 32;
    const isPrefix =
      prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bits);
    if (!isIP(address) || !isPrefix || rest.length > 0) throw new Error('must be addresses or CIDRs');
    return entry;
  });
}

/** Origins, comma-separated: `https://portal.example`. */
export function origins(value: string): string[] {
  return list(value).map((entry) => {
    const { origin } = new URL(plainUrl('http:', 'https:')(entry));
    if (entry.replace(/\/$/, '') !== origin) throw new Error('must be origins, without a path');
    return origin;
  });
}

/** An address that mail comes from, without a name. */
export function mailAddress(value: string): string {
  if (!/^[^\s<>@,;"]{1,64}@[\w.-]{1,190}$/.test(value)) throw new Error('must be one mail address');
  return value;
}

/** A SIP trunk as `sip:user:password@host:port`. */
export function trunk(value: string): { user: string; password: string; host: string; port: number } {
  const match = /^sip:([^:@]+):([^@]*)@(\[[0-9a-f:]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(value);
  if (!match || Number(match[4] ?? 5060) > 65_535) throw new Error('must be sip:user:password@host:port');
  return {
    user: decodeURIComponent(match[1]!),
    password: decodeURIComponent(match[2]!),
    host: match[3]!,
    port: Number(match[4] ?? 5060),
  };
}
