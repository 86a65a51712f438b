/**
 * Which network addresses a customer may make us talk to: public ones, and those on a list of `CIDR[:port]`.
 * An IPv4 address in IPv6 clothes (mapped, compatible, NAT64, 6to4) is judged as the IPv4 address it reaches.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';

type Address = { bits: 32 | 128; value: bigint };

/** One entry of an allow list. `port` undefined: any. */
export type Allowed = { bits: 32 | 128; value: bigint; prefix: number; port: number | undefined };

const V4_MAPPED = 0xffffn;

function v4Value(address: string): bigint {
  return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function v6Value(address: string): bigint {
  const bare = address.replace(/%.*$/, '').replace(/(\d+\.\d+\.\d+\.\d+)$/, (v4) => {
    const value = v4Value(v4);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = new Array(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n);
}

/** The address as a number; a mapped IPv4 address is IPv4. Undefined where the text is no address. */
function parse(address: string): Address | undefined {
  if (isIPv4(address)) return { bits: 32, value: v4Value(address) };
  if (!isIPv6(address)) return undefined;
  const value = v6Value(address);
  return value >> 32n === V4_MAPPED ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

function within(address: Address, block: { bits: number; value: bigint; prefix: number }): boolean {
  const shift = BigInt(block.bits - block.prefix);
  return address.bits === block.bits && address.value >> shift === block.value >> shift;
}

function parseBlock(text: string): Omit<Allowed, 'port'> {
  const [address = '', length, rest] = text.split('/');
  const parsed = parse(address);
  if (!parsed || rest !== undefined)
    throw new Error(`holds ${JSON.stringify(text)}, which is no address or CIDR block`);
  const prefix = length === undefined ? parsed.bits : Number(length);
  if ((length !== undefined && !/^\d+$/.test(length)) || prefix > parsed.bits)
    throw new Error(`holds ${JSON.stringify(text)}, whose prefix length is not 0 to ${parsed.bits}`);
  return { ...parsed, prefix };
}

/**
 * Reads `10.0.0.0/8, 127.0.0.1:8090, [::1]:80, [fd00::/8]:443, fd00::/8`.
 * @throws Error naming the entry that can't be read.
 */
export function parseAllowList(text: string): Allowed[] {
  return text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(entry);
      const plain = isIP(entry.split('/')[0]!) === 6 ? undefined : /^([^:]+)(?::(\d{1,5}))?$/.exec(entry);
      const port = bracketed?.[2] ?? plain?.[2];
      if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))
        throw new Error(`holds ${JSON.stringify(entry)}, whose port is not 1 to 65535`);
      return {
        ...parseBlock(bracketed?.[1] ?? plain?.[1] ?? entry),
        port: port === undefined ? undefined : Number(port),
      };
    });
}

const blocks = (...texts: string[]) => texts.map(parseBlock);

// IANA special-purpose registries: what is not globally reachable, or reaches a group.
const NOT_PUBLIC_V4 = blocks(
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
);
const GLOBAL_V6 = parseBlock('2000::/3');
const NOT_PUBLIC_V6 = blocks('2001::/23', '2001:db8::/32', '3fff::/20');
const NAT64 = parseBlock('64:ff9b::/96');
const SIX_TO_FOUR = parseBlock('2002::/16');
const V4_COMPATIBLE = parseBlock('::/96');

function isPublicValue(address: Address): boolean {
  if (address.bits === 32) return !NOT_PUBLIC_V4.some((block) => within(address, block));
  if (within(address, NAT64) || within(address, V4_COMPATIBLE))
    return isPublicValue({ bits: 32, value: address.value & 0xffff_ffffn });
  if (within(address, SIX_TO_FOUR)) return isPublicValue({ bits: 32, value: (address.value >> 80n) & 0xffff_ffffn });
  return within(address, GLOBAL_V6) && !NOT_PUBLIC_V6.some((block) => within(address, block));
}

/** The address as one text, the IPv4 one that it reaches where it is one in IPv6 clothes; undefined where the text is no address. */
export function reachedAddress(address: string): string | undefined {
  const parsed = parse(address.replace(/^\[|\]$/g, ''));
  if (!parsed) return undefined;
  if (parsed.bits === 32) return v4Text(parsed.value);
  if (within(parsed, NAT64) || (within(parsed, V4_COMPATIBLE) && parsed.value > 1n)) return v4Text(parsed.value);
  if (within(parsed, SIX_TO_FOUR)) return v4Text(parsed.value >> 80n);
  const groups = parsed.value.toString(16).padStart(32, '0').match(/.{4}/g)!.join(':');
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}

const v4Text = (value: bigint) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');

/** Is this an address of the public Internet? False for anything that is no address. */
export function isPublicAddress(address: string): boolean {
  const parsed = parse(address);
  return parsed !== undefined && isPublicValue(parsed);
}

/** May we be made to talk to this address and port? Judge the connected address, never a name. */
export function isAllowedAddress(allowed: readonly Allowed[], address: string, port: number): boolean {
  const parsed = parse(address);
  if (!parsed) return false;
  return isPublicValue(parsed) || isOn(allowed, parsed, port);
}

/** Does the list itself name this address and port? False for anything that is no address. */
export function isListedAddress(list: readonly Allowed[], address: string, port: number): boolean {
  const parsed = parse(address);
  return parsed !== undefined && isOn(list, parsed, port);
}

const isOn = (list: readonly Allowed[], address: Address, port: number) =>
  list.some((entry) => (entry.port === undefined || entry.port === port) && within(address, entry));
