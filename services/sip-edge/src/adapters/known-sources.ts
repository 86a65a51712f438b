// Does a call come from a trunk or connection that the Directory knows for the account? Then what is known of its media
// holds for it. Judged here, by the source of the message, since one answer of the Directory serves every caller.

import { type Allowed, isListedAddress, parseAllowList } from '@opentact/runtime';
import type { MediaSources, Route } from '../edge/port.ts';

type Known = { list: Allowed[]; media: MediaSources | undefined };

const parsed = new WeakMap<Route, Known[]>();

/** What can't be read names nobody. */
function listOf(from: string): Allowed[] {
  try {
    return parseAllowList(from);
  } catch {
    return [];
  }
}

/** @param source `address:port` of the INVITE, IPv6 without brackets */
export function fromKnownSource(route: Route, source: string): Route {
  if (route.knownSources.length === 0) return route;
  const known = parsed.get(route) ?? route.knownSources.map(({ from, media }) => ({ list: listOf(from), media }));
  parsed.set(route, known);
  const colon = source.lastIndexOf(':');
  const [address, port] = [source.slice(0, colon), Number(source.slice(colon + 1))];
  const found = known.find(({ list }) => isListedAddress(list, address, port));
  return found?.media ? { ...route, media: found.media } : route;
}
