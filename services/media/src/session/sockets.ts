// One session's two sockets: RTP on an even port, RTCP on the next. It refuses after 500 taken ports.
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { PortPool } from './port-pool.ts';

/** Whoever else holds ports of the range holds no more than a process can speak on. A taken port costs 0.1 ms. */
const TRIES = 500;
/** Room for a second of packets while the thread is busy. */
const RECEIVE_BYTES = 262_144;

export type SocketPair = { port: number; rtp: Socket; rtcp: Socket };

// Every address in SDP is a number (negotiate refuses names), so the resolver must never be asked, nor waited for.
function noLookup(
  host: string,
  _options: object,
  found: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  found(null, host, host.includes(':') ? 6 : 4);
}

function bound(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: noLookup as never });
    socket.once('error', reject);
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off('error', reject);
      // A peer that went away answers with ICMP; the call's story, not the socket, decides what that means.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

/** Binds a pair on `address`; undefined where no port is to be had. A port that others hold goes to the pool's end. */
export async function openSockets(address: string, pool: PortPool): Promise<SocketPair | undefined> {
  for (let tries = Math.min(TRIES, pool.available); tries > 0; tries--) {
    const port = pool.take();
    if (port === undefined) return undefined;
    const pair = await bindPair(address, port);
    if (pair) return pair;
    pool.give(port);
  }
  return undefined;
}

/** One after the other: two processes that want the same pair would else hold half of it each, and neither get it. */
async function bindPair(address: string, port: number): Promise<SocketPair | undefined> {
  const rtp = await bound(address, port).catch(() => undefined);
  const rtcp = rtp && (await bound(address, port + 1).catch(() => undefined));
  if (!rtp || !rtcp) {
    if (rtp) await closed(rtp);
    return undefined;
  }
  try {
    rtp.setRecvBufferSize(RECEIVE_BYTES);
  } catch {
    // The system's own size serves too.
  }
  return { port, rtp, rtcp };
}

/** Closes both and gives the port back. */
export async function closeSockets(pair: SocketPair, pool: PortPool): Promise<void> {
  await Promise.all([closed(pair.rtp), closed(pair.rtcp)]);
  pool.give(pair.port);
}
