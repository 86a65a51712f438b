/**
 * A listener that answers nothing, for a process that has no other one: whoever holds a connection to it sees by its end
 * that the process is gone. It ends connections beyond a number, and keeps nothing that it reads.
 */
import { createServer, type Socket } from 'node:net';
import { hostPort } from './host-port.ts';

/** Every node watches every other. Whoever is one too many still sees the end: by a refusal when it asks again. */
const CONNECTIONS_MAX = 512;

/**
 * Listens on a free port.
 * @param bind where to listen; a wildcard, too. @param host what others reach it by. @returns `host:port`
 */
export async function serveSignOfLife(
  bind: string,
  host: string,
): Promise<{ address: string; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}); // Whoever watched is gone.
    socket.once('close', () => open.delete(socket));
    socket.resume(); // Unread, its end would go unnoticed.
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, bind, done);
  });
  const { port } = server.address() as { port: number };
  return {
    address: hostPort(host, port),
    close: () =>
      new Promise((done) => {
        for (const socket of open) socket.destroy();
        server.close(() => done());
      }),
  };
}
