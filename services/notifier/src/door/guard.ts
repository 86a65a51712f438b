/**
 * Connects only to addresses that a customer may make us talk to. A name is judged by all of its addresses, and the
 * socket by the address it is connected to: what a name says may change between the two.
 */
import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { type Allowed, isAllowedAddress } from '@opentact/runtime';
import { buildConnector } from 'undici';
import { DoorError } from './refusals.ts';

/** All addresses of a name. @throws where it has none. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

export const resolveByDns: Resolve = (hostname) =>
  new Promise((done, failed) =>
    dnsLookup(hostname, { all: true }, (error, found) => (error ? failed(error) : done(found))),
  );

const CONNECT_MS_MAX = 5000;

function refused(address: string, port: number): DoorError {
  return new DoorError('refused-address', `${address} port ${port} is neither public nor allowed`);
}

/** A connector for undici. */
export function guardedConnector(allowed: readonly Allowed[], resolve: Resolve): buildConnector.connector {
  const lookupFor =
    (port: number): LookupFunction =>
    (hostname, options, answer) => {
      resolve(hostname).then(
        (found) => {
          // One bad address is enough: which of them the socket would take is not ours to choose.
          const bad = found.find(({ address }) => !isAllowedAddress(allowed, address, port));
          if (bad) answer(refused(bad.address, port), []);
          else if (options.all) answer(null, found);
          else answer(null, found[0]!.address, found[0]!.family);
        },
        (error) => answer(new DoorError('connect', `${hostname} has no address`, { cause: error }), []),
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
