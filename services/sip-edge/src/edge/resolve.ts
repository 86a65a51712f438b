// From a host name to numeric addresses, in the order of RFC 3263: numeric as it is, a port means A/AAAA, else SRV first.
// It refuses to wait longer than RESOLVE_MS and to return more than ADDRESSES_MAX.

import { lookup, resolveSrv } from 'node:dns/promises';
import { isIP } from 'node:net';

export const RESOLVE_MS = 3_000;
const ADDRESSES_MAX = 8;
const SIP_PORT = 5060;

export type Endpoint = { readonly address: string; readonly port: number };
export type Resolve = (host: string, port: number | undefined, transport: 'udp' | 'tcp') => Promise<Endpoint[]>;

/** Empty where the name has no address or nobody answers in time. */
export const resolveByDns: Resolve = async (host, port, transport) => {
  const bare = host.replace(/^\[|\]$/g, '');
  if (isIP(bare)) return [{ address: bare, port: port ?? SIP_PORT }];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Endpoint[]>((done) => {
    timer = setTimeout(done, RESOLVE_MS, []);
  });
  return Promise.race([byName(bare, port, transport).catch(() => []), late]).finally(() => clearTimeout(timer));
};

async function byName(host: string, port: number | undefined, transport: 'udp' | 'tcp'): Promise<Endpoint[]> {
  if (port === undefined) {
    const services = await resolveSrv(`_sip._${transport}.${host}`).catch(() => []);
    services.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    const found = await Promise.all(services.slice(0, 4).map(({ name, port: at }) => addresses(name, at)));
    if (found.flat().length > 0) return found.flat().slice(0, ADDRESSES_MAX);
  }
  return addresses(host, port ?? SIP_PORT);
}

async function addresses(host: string, port: number): Promise<Endpoint[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.slice(0, ADDRESSES_MAX).map(({ address }) => ({ address, port }));
}
