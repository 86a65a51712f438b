// IPs and CIDRs of a trunk as the Directory lists them. What can't be read matches nothing.

import { BlockList, isIP } from 'node:net';

export function blockListOf(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of addresses) {
    const [address = '', prefix] = text.split('/');
    const version = isIP(address);
    if (version === 0) continue;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    const bits = prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix);
    if (Number.isInteger(bits) && bits >= 0 && bits <= (version === 6 ? 128 : 32))
      list.addSubnet(address, bits, family);
  }
  return list;
}
