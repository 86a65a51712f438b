/**
 * A day's number of hostile attempts in some minutes, by a seed: scanners of 1,000 addresses, broken messages, floods, silent
 * connections, bad documents, guesses, RTP to ports of others. Each attempt is what an open SIP port sees every day.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { type Socket as Connection, connect } from 'node:net';
import { noise } from '../laws/fuzz/mutations.ts';
import { WIRE } from '../laws/fuzz/wire.ts';
import { randomOf } from '../laws/random-document.ts';
import type { Arena } from './arena.ts';
import { offer, request, sleep } from './sip.ts';

export const ATTEMPTS = 100_000;
const SOURCES = 1_000;
const CONNECTIONS_MAX = 500;
const TICK_MS = 20;

/** Makes so many attempts, evenly over so many seconds. @returns how many there were of each kind */
export async function hostileDay(
  arena: Arena,
  seconds: number,
  attempts: number,
  seed: number,
): Promise<Record<string, number>> {
  const random = randomOf(seed);
  const sockets = await Promise.all(
    Array.from({ length: SOURCES }, (_, n) => open(`127.0.${1 + (n >> 8)}.${n & 255}`)),
  );
  const connections = new Set<Connection>();
  const counts: Record<string, number> = {};
  const { sipPort, httpPort } = arena.platform;
  const broken = WIRE.find(({ name }) => name === 'sip')!;
  arena.evil.on('/flow', (response) => {
    response.writeHead(200, { 'content-type': 'application/xml' }).end(noise(random));
  });

  const kinds: Array<[share: number, name: string, attempt: (from: Socket) => void]> = [
    [
      30,
      'scans of numbers',
      (from) =>
        say(
          from,
          request(from.address(), { uri: `sip:${random.below(1e9)}@127.0.0.1`, sdp: offer('127.0.0.1', 9) }),
          sipPort,
        ),
    ],
    [15, 'OPTIONS', (from) => say(from, request(from.address(), { method: 'OPTIONS', uri: 'sip:127.0.0.1' }), sipPort)],
    [
      15,
      'REGISTER',
      (from) =>
        say(
          from,
          request(from.address(), {
            method: 'REGISTER',
            uri: 'sip:127.0.0.1',
            to: `<sip:${random.below(1e4)}@127.0.0.1>`,
          }),
          sipPort,
        ),
    ],
    [15, 'broken messages', (from) => say(from, broken.make(random), sipPort)],
    [
      8,
      'requests of no dialog',
      (from) =>
        say(
          from,
          request(from.address(), {
            method: random.of(['BYE', 'CANCEL', 'ACK', 'UPDATE']),
            uri: 'sip:127.0.0.1',
            to: '<sip:x@127.0.0.1>;tag=x',
          }),
          sipPort,
        ),
    ],
    [10, 'RTP to anybody’s port', (from) => say(from, Buffer.alloc(172, 0x80), 20_000 + 2 * random.below(5_000))],
    [4, 'silent connections', (from) => silent(from.address().address)],
    [
      2,
      'calls with bad documents',
      (from) =>
        say(
          from,
          request(from.address(), { uri: `sip:${arena.evilNumber}@127.0.0.1`, sdp: offer(from.address().address, 9) }),
          sipPort,
        ),
    ],
    [1, 'guesses', (from) => guess(from.address().address)],
  ];
  /** As often as its share. */
  const drawn = kinds.flatMap((kind) => Array.from({ length: kind[0] }, () => kind));

  function say(from: Socket, bytes: Buffer | string, port: number): void {
    from.send(bytes, port, '127.0.0.1');
  }
  function silent(localAddress: string): void {
    if (connections.size >= CONNECTIONS_MAX) for (const oldest of connections) return void oldest.destroy();
    const connection = connect({ port: sipPort, host: '127.0.0.1', localAddress });
    connections.add(connection);
    connection.on('error', () => {}).on('close', () => connections.delete(connection));
  }
  function guess(localAddress: string): void {
    const headers = {
      authorization: `Basic ${Buffer.from(`demo@opentact.test:${random.below(1e9)}`).toString('base64')}`,
    };
    const asking = httpRequest({
      port: httpPort,
      host: '127.0.0.1',
      path: '/rest/auth',
      headers,
      localAddress,
      timeout: 5_000,
    });
    asking.on('response', (response) => response.resume()).on('error', () => {});
    asking.end();
  }
  function attempt(): void {
    const [, name, make] = random.of(drawn);
    counts[name] = (counts[name] ?? 0) + 1;
    make(random.of(sockets));
  }

  const began = Date.now();
  for (let made = 0; made < attempts; await sleep(TICK_MS)) {
    const due = Math.min(attempts, Math.ceil(((Date.now() - began) / (seconds * 1_000)) * attempts));
    for (; made < due; made++) attempt();
  }
  for (const connection of connections) connection.destroy();
  await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.close(() => done()))));
  return counts;
}

async function open(address: string): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}
