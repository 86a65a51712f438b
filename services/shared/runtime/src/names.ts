/**
 * From a host name to addresses, by DNS queries of our own. getaddrinfo would run on libuv's few threads, where two names
 * whose servers are slow hold up every other look-up, file and hash of the process. It refuses more look-ups at once than
 * one asker or all may have, and answers no later than the servers' timeouts; what it remembers is bounded.
 */
import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { createHostsFile, type NameAddress } from './hosts-file.ts';

const TIMEOUT_MS = 2_000;
const TRIES = 1;
/** The servers are tried one after the other; nobody waits longer than this for all of them. */
const DEADLINE_MS = 3_000;
const ADDRESSES_MAX = 16;
const SERVICES_MAX = 8;
const NAME_LENGTH_MAX = 253;

export type NameLimits = {
  /** Look-ups under way in all, and of one asker. */
  underWay: number;
  perAsker: number;
  /** Names that are remembered; those that don't exist count apart, so that they never push out those that do. */
  found: number;
  missing: number;
  /** What exists is remembered for its TTL, within these. */
  foundMinMs: number;
  foundMaxMs: number;
  missingMs: number;
};

const LIMITS: NameLimits = {
  underWay: 256,
  perAsker: 16,
  found: 2_000,
  missing: 1_000,
  foundMinMs: 1_000,
  foundMaxMs: 60_000,
  missingMs: 5_000,
};

/** No answer, which is not the same as a name without addresses: too many look-ups at once, or no server answered. */
export class NameUnknown extends Error {}

export type Names = {
  /**
   * IPv4 first; empty where the name has none. A numeric host is its own address.
   * @param asker whose share of the look-ups under way it takes: a source address, an account
   * @throws NameUnknown
   */
  addresses(host: string, asker: string): Promise<readonly NameAddress[]>;
  /** SRV records in the order in which they are to be tried (RFC 2782). @throws NameUnknown */
  services(name: string, asker: string): Promise<readonly SrvRecord[]>;
};

type Answer<T> = { readonly values: readonly T[]; readonly ttlMs: number };

/** Each has queries, shares and a memory of its own. @param servers `address:port`; where none are said, the system's. */
export function createNames(limits: Partial<NameLimits> = {}, servers?: readonly string[]): Names {
  const all = { ...LIMITS, ...limits };
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers) resolver.setServers(servers);
  const hosts = createHostsFile();
  const underWay = createPlaces(all.underWay, all.perAsker);
  const addresses = remembered<NameAddress>(all, underWay, (name) => addressesOf(resolver, name));
  const services = remembered<SrvRecord>(all, underWay, (name) => servicesOf(resolver, name));
  return {
    async addresses(host, asker) {
      const bare = host.replace(/^\[/, '').replace(/\]$/, '');
      const family = isIP(bare);
      if (family !== 0) return [{ address: bare, family: family as 4 | 6 }];
      const name = nameOf(bare);
      if (name === undefined) return [];
      return (await hosts.addresses(name)) ?? addresses(name, asker);
    },
    async services(text, asker) {
      const name = nameOf(text);
      return name === undefined ? [] : services(name, asker);
    },
  };
}

/** As it is asked and remembered; undefined: nothing that a DNS server can know. */
function nameOf(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name.length > NAME_LENGTH_MAX) return undefined;
  return name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label)) ? name : undefined;
}

type Places = { take(asker: string): boolean; give(asker: string): void };

function createPlaces(max: number, perAskerMax: number): Places {
  const byAsker = new Map<string, number>();
  let total = 0;
  return {
    take(asker) {
      const own = byAsker.get(asker) ?? 0;
      if (total >= max || own >= perAskerMax) return false;
      total += 1;
      byAsker.set(asker, own + 1);
      return true;
    },
    give(asker) {
      total -= 1;
      const own = byAsker.get(asker)! - 1;
      if (own > 0) byAsker.set(asker, own);
      else byAsker.delete(asker);
    },
  };
}

type Kept<T> = { readonly values: readonly T[]; readonly until: number };

/** A question with a memory. Asked by several at once it is asked once, at the share of whoever asked first. */
function remembered<T>(limits: NameLimits, places: Places, ask: (name: string) => Promise<Answer<T>>) {
  const found = new Map<string, Kept<T>>();
  const missing = new Map<string, Kept<T>>();
  const asking = new Map<string, Promise<readonly T[]>>();
  function keep(name: string, { values, ttlMs }: Answer<T>): void {
    const [kept, max] = values.length > 0 ? [found, limits.found] : [missing, limits.missing];
    const ms = values.length > 0 ? Math.min(Math.max(ttlMs, limits.foundMinMs), limits.foundMaxMs) : limits.missingMs;
    found.delete(name);
    kept.delete(name);
    kept.set(name, { values, until: performance.now() + ms });
    if (kept.size > max) kept.delete(kept.keys().next().value!);
  }
  async function query(name: string, asker: string): Promise<readonly T[]> {
    try {
      const answer = await ask(name);
      keep(name, answer);
      return answer.values;
    } finally {
      asking.delete(name);
      places.give(asker);
    }
  }
  return async (name: string, asker: string): Promise<readonly T[]> => {
    const known = found.get(name) ?? missing.get(name);
    if (known && performance.now() < known.until) return known.values;
    let running = asking.get(name);
    if (!running) {
      if (!places.take(asker)) throw new NameUnknown('too many names are looked up at once');
      running = query(name, asker);
      running.catch(() => {}); // Whoever waits may have given up.
      asking.set(name, running);
    }
    return inTime(running);
  };
}

/** The place stays taken until the servers' timeouts are over: what is under way is what was really sent. */
function inTime<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NameUnknown('no name server answered in time')), DEADLINE_MS);
  });
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

async function addressesOf(resolver: Resolver, name: string): Promise<Answer<NameAddress>> {
  const [v4, v6] = await Promise.allSettled([
    resolver.resolve4(name, { ttl: true }),
    resolver.resolve6(name, { ttl: true }),
  ]);
  const records = [
    ...recordsOf(v4).map(({ address, ttl }) => ({ address, ttl, family: 4 as const })),
    ...recordsOf(v6).map(({ address, ttl }) => ({ address, ttl, family: 6 as const })),
  ];
  // One family without an answer is not waited for again where the other has one.
  if (records.length === 0) for (const each of [v4, v6]) throwUnlessMissing(each);
  const values = records.slice(0, ADDRESSES_MAX).map(({ address, family }) => ({ address, family }));
  return { values, ttlMs: 1000 * Math.min(...records.map(({ ttl }) => ttl)) };
}

async function servicesOf(resolver: Resolver, name: string): Promise<Answer<SrvRecord>> {
  const [answer] = await Promise.allSettled([resolver.resolveSrv(name)]);
  throwUnlessMissing(answer);
  const records = recordsOf(answer).sort((a, b) => a.priority - b.priority || b.weight - a.weight);
  return { values: records.slice(0, SERVICES_MAX), ttlMs: 0 };
}

const recordsOf = <R>(answer: PromiseSettledResult<R[]>): R[] => (answer.status === 'fulfilled' ? answer.value : []);

/** That there is no such name or no such record is an answer. */
function throwUnlessMissing(answer: PromiseSettledResult<unknown>): void {
  if (answer.status === 'fulfilled' || ['ENOTFOUND', 'ENODATA', 'EBADNAME'].includes(answer.reason?.code)) return;
  throw new NameUnknown('no name server has an answer', { cause: answer.reason });
}
