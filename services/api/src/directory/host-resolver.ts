/** Every address of a host of SIP, by DNS queries of our own: names whose servers never answer hold up no others. */
import { createNames, type Names } from '@opentact/runtime';

/** Every address of a name: of its SIP services, and its own. Empty where it has none, or nobody answers. */
export type ResolveHost = (host: string) => Promise<string[]>;

const SERVICES = ['_sip._udp', '_sip._tcp', '_sips._tcp'];
const NAMES_MAX = 8;

/** @param names with queries of their own, where others' must not wait for these */
export function createHostResolver(names: Names = createNames({ underWay: 1_024 })): ResolveHost {
  return async (host) => {
    const services = await Promise.all(SERVICES.map((of) => names.services(`${of}.${host}`, host).catch(() => [])));
    const all = [...new Set([host, ...services.flat().map(({ name }) => name)])].slice(0, NAMES_MAX);
    const found = await Promise.all(all.map((name) => names.addresses(name, host).catch(() => [])));
    return found.flat().map(({ address }) => address);
  };
}
