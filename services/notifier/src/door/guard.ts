/**
 * Judges where a customer may make us connect to. A name is judged by all of its addresses, and the connection is made to
 * those that were judged: what the name says a moment later doesn't matter.
 */
import { isIP } from 'node:net';
import { type Allowed, isAllowedAddress, type NameAddress, NameUnknown } from '@opentact/runtime';
import { DoorError } from './refusals.ts';

/** All addresses of a name. @param account whose share of the look-ups under way it takes @throws where it has none */
export type Resolve = (hostname: string, account: string) => Promise<readonly NameAddress[]>;

/** Where to, and for whom. */
export type Asked = { url: URL; account: string };

function refused(address: string, port: number): DoorError {
  return new DoorError('refused-address', `${address} port ${port} is neither public nor allowed`);
}

function noAddress(hostname: string, cause?: unknown): DoorError {
  const why = cause instanceof NameUnknown ? `can't be looked up: ${cause.message}` : 'has no address';
  return new DoorError('connect', `${hostname} ${why}`, { cause });
}

export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');
export const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80);

/** The addresses of a host, by the share of an account. @throws DoorError where it has none; the signal's reason where that gives up first */
async function addressesOf(
  resolve: Resolve,
  { url, account }: Asked,
  signal: AbortSignal,
): Promise<readonly NameAddress[]> {
  const host = hostOf(url);
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family: family as 4 | 6 }];
  signal.throwIfAborted();
  const left = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const found = await Promise.race([
    resolve(host, account).catch((error: unknown) => {
      throw noAddress(host, error);
    }),
    left,
  ]);
  if (found.length === 0) throw noAddress(host);
  return found;
}

/**
 * The addresses that a request may be connected to.
 * @throws DoorError `refused-address` where one of them is neither public nor allowed, `connect` where there is none; the
 * signal's reason where that gives up first
 */
export async function judged(
  of: { allowed: readonly Allowed[]; resolve: Resolve },
  asked: Asked,
  signal: AbortSignal,
): Promise<readonly NameAddress[]> {
  const found = await addressesOf(of.resolve, asked, signal);
  const port = portOf(asked.url);
  // One bad address is enough: which of them the socket would take is not ours to choose.
  const bad = found.find(({ address }) => !isAllowedAddress(of.allowed, address, port));
  if (bad) throw refused(bad.address, port);
  return found;
}
