// From a host name to numeric addresses, in the order of RFC 3263: numeric as it is, a port means A/AAAA, else SRV first.
// It refuses to wait longer than RESOLVE_MS, to return more than ADDRESSES_MAX, and more look-ups at once than whoever
// named the host has a share for. Hosts of trunks are looked up apart, so that nobody else's names hold them up.

import { isIP } from 'node:net';
import { createNames, type Names } from '@opentact/runtime';

export const RESOLVE_MS = 3_000;
const ADDRESSES_MAX = 8;
const SERVICES_MAX = 4;
const SIP_PORT = 5060;

export type Endpoint = { readonly address: string; readonly port: number };
/** Who named the host: an account or source address, or the account whose trunk it is. */
export type Asker = { readonly of: string; readonly isTrunk: boolean };
export type Resolve = (
  host: string,
  port: number | undefined,
  transport: 'udp' | 'tcp',
  asker: Asker,
) => Promise<Endpoint[]>;

/** Empty where the name has no address, nobody answers in time, or the asker has too many look-ups under way. */
export function createResolve(names: Names = createNames(), trunks: Names = createNames()): Resolve {
  return async (host, port, transport, asker) => {
    const bare = host.replace(/^\[|\]$/g, '');
    if (isIP(bare)) return [{ address: bare, port: port ?? SIP_PORT }];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Endpoint[]>((done) => {
      timer = setTimeout(done, RESOLVE_MS, []);
    });
    const found = byName(asker.isTrunk ? trunks : names, asker.of, { host: bare, port, transport });
    return Promise.race([found.catch(() => []), late]).finally(() => clearTimeout(timer));
  };
}

type Asked = { readonly host: string; readonly port: number | undefined; readonly transport: 'udp' | 'tcp' };

async function byName(names: Names, asker: string, { host, port, transport }: Asked): Promise<Endpoint[]> {
  if (port === undefined) {
    const services = await names.services(`_sip._${transport}.${host}`, asker).catch(() => []);
    const found = await Promise.all(
      services.slice(0, SERVICES_MAX).map((service) => addresses(names, asker, service.name, service.port)),
    );
    if (found.flat().length > 0) return found.flat().slice(0, ADDRESSES_MAX);
  }
  return addresses(names, asker, host, port ?? SIP_PORT);
}

async function addresses(names: Names, asker: string, host: string, port: number): Promise<Endpoint[]> {
  const found = await names.addresses(host, asker).catch(() => []);
  return found.slice(0, ADDRESSES_MAX).map(({ address }) => ({ address, port }));
}
