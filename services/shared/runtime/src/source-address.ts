/** Whom a numeric address stands for, wherever a sender has a share: an IPv4 address, or the /64 of an IPv6 one, which one subscriber has whole. */
import { isIPv6 } from 'node:net';

const GROUPS = 8;

/** @param ip as a socket or a trusted proxy says it; a mapped IPv4 address is IPv4, what is no address stands for itself */
export function sourceOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped || !isIPv6(ip)) return mapped ?? ip;
  const [head = '', tail] = ip.split('%', 1)[0]!.split('::');
  const groups = (text = '') => text.split(':').flatMap((g) => (g.includes('.') ? ['0', '0'] : g ? [g] : []));
  const [left, right] = [groups(head), groups(tail)];
  const all = [...left, ...Array<string>(GROUPS - left.length - right.length).fill('0'), ...right];
  const net = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${net.join(':')}::/64`;
}
