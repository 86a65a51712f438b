/**
 * A customer at an address of their own: what counts by address (sign-ups, wrong passwords) counts for each apart. It only
 * carries bytes, from a loopback address that nobody else has.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';

const below = (n: number) => Math.floor(Math.random() * n);

/** @param port of this machine's loopback. @returns an address of HTTP that leads there; nothing need be closed */
export async function fromElsewhere(port: number): Promise<string> {
  const localAddress = `127.${1 + below(254)}.${below(256)}.${1 + below(254)}`;
  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1', localAddress });
    pipeline(near, far, () => {});
    pipeline(far, near, () => {});
  });
  server.unref();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
