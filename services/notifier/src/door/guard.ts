/**
 * Connects only to addresses that a customer may make us talk to. A name is judged by all of its addresses, and the
 * socket by the address it is connected to: what a name says may change between the two.
 */
import { isIP, type LookupFunction } from 'node:net';
import { type Allowed, isAllowedAddress, type NameAddress, NameUnknown } from '@opentact/runtime';
import { buildConnector } from 'undici';
import { DoorError } from './refusals.ts';

/** All addresses of a name. @param account whose share of the look-ups under way it takes @throws where it has none */
export type Resolve = (hostname: string, account: string) => Promise<readonly NameAddress[]>;

const CONNECT_MS_MAX = 5000;

function refused(address: string, port: number): DoorError {
  return new DoorError('refused-address', `${address} port ${port} is neither public nor allowed`);
}

function noAddress(hostname: string, cause?: unknown): DoorError {
  const why = cause instanceof NameUnknown ? `can't be looked up: ${cause.message}` : 'has no address';
  return new DoorError('connect', `${hostname} ${why}`, { cause });
}

/**
 * Has the addresses of a host remembered, in the share of an account, before a connection asks for them.
 * @throws DoorError where it has none; the signal's reason where that gives up first
 */
export async function lookUp(resolve: Resolve, host: string, account: string, signal: AbortSignal): Promise<void> {
  const hostname = host.replace(/^\[|\]$/g, '');
  if (isIP(hostname) !== 0) return;
  signal.throwIfAborted();
  const left = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const found = resolve(hostname, account).catch((error: unknown) => {
    throw noAddress(hostname, error);
  });
  if ((await Promise.race([found, left])).length === 0) throw noAddress(hostname);
}

/** A connector for undici. */
export function guardedConnector(allowed: readonly Allowed[], resolve: Resolve): buildConnector.connector {
  const lookupFor =
    (port: number): LookupFunction =>
    (hostname, options, answer) => {
      // It was looked up before, in the share of whoever asks: see `lookUp`. Here it is remembered.
      resolve(hostname, '').then(
        (found) => {
          if (found.length === 0) return answer(noAddress(hostname), []);
          // One bad address is enough: which of them the socket would take is not ours to choose.
          const bad = found.find(({ address }) => !isAllowedAddress(allowed, address, port));
          if (bad) answer(refused(bad.address, port), []);
          else if (options.all) answer(null, [...found]);
          else answer(null, found[0]!.address, found[0]!.family);
        },
        (error) => answer(noAddress(hostname, error), []),
      );
    };
  return (options, answer) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    if (isIP(host) !== 0 && !isAllowedAddress(allowed, host, port)) {
      answer(refused(host, port), null);
      return;
    }
    const connect = buildConnector({ timeout: CONNECT_MS_MAX, lookup: lookupFor(port) } as buildConnector.BuildOptions);
    connect(options, (...result) => {
      const [, socket] = result;
      if (socket && !isAllowedAddress(allowed, socket.remoteAddress ?? '', port)) {
        socket.destroy();
        answer(refused(socket.remoteAddress ?? 'unknown', port), null);
      } else answer(...result);
    });
  };
}
