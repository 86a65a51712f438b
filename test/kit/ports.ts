/** Ports for what a test starts. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to connections (32768 on Linux): a process that is killed finds its port again
 * when it comes back, whoever connected somewhere meanwhile.
 */
const [FIRST, COUNT] = [5_100, 4_800];
const TRIES_MAX = 200;

/** Ports of 127.0.0.1 that are free by TCP and by UDP. @throws Error where there are hardly any */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries > TRIES_MAX + count) throw new Error(`no ${count} free ports from ${FIRST} on`);
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const [server, socket] = [createServer(), createSocket('udp4')];
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    if (server.listening) await new Promise((closed) => server.close(closed));
    socket.close();
  }
}
