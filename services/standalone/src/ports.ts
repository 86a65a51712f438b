/** Are our ports free? Every taken one is named at once, with its variable, before anything is started. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

export type WantedPort = { variable: string; host: string; port: number; transport: 'tcp' | 'udp' };

function tcpFault(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => done(undefined)));
  });
}

function udpFault(host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const probe = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    probe.once('error', (error: NodeJS.ErrnoException) => {
      probe.close();
      done(error.code ?? error.message);
    });
    probe.bind({ address: host, port, exclusive: true }, () => probe.close(() => done(undefined)));
  });
}

/** One sentence per port that can't be had. */
export async function portFaults(wanted: readonly WantedPort[]): Promise<string[]> {
  const faults = await Promise.all(
    wanted
      .filter(({ port }) => port !== 0)
      .map(async ({ variable, host, port, transport }) => {
        const fault = await (transport === 'tcp' ? tcpFault(host, port) : udpFault(host, port));
        if (!fault) return [];
        const why = fault === 'EADDRINUSE' ? 'is taken by another program' : `can't be had (${fault})`;
        return [`${variable}: port ${port} (${transport}) of ${host} ${why}; set ${variable} to another`];
      }),
  );
  return faults.flat();
}
