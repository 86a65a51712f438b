// The two transports on real sockets of the loopback.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { parseVia } from '../message/fields.ts';
import { createSendQueues } from './send-queues.ts';
import { listenTcp } from './tcp.ts';
import { answerPort, listenUdp } from './udp.ts';

const OPTIONS = 'OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nContent-Length: 0\r\n\r\n';
const any = { address: '127.0.0.1', port: 0, reusePort: false };

test('two edges may share a UDP port', async () => {
  const one = await listenUdp({ ...any, reusePort: true }, () => {});
  const two = await listenUdp({ ...any, port: one.port, reusePort: true }, () => {});
  await Promise.all([one.close(), two.close()]);
});

test('a datagram is answered where it came from; keep-alives are silent', async () => {
  const udp = await listenUdp(any, (bytes, source) => {
    udp.peer(source.address, source.port).send(bytes, assert.fail);
  });
  const phone = createSocket('udp4');
  phone.send('\r\n\r\n', udp.port, '127.0.0.1');
  phone.send('hello there', udp.port, '127.0.0.1');
  const [answer] = await once(phone, 'message');
  assert.equal(String(answer), 'hello there');
  phone.close();
  await udp.close();
});

test('answers go to the port of Via unless the caller asked for its own', () => {
  const source = { address: '192.0.2.1', port: 4000 };
  assert.equal(answerPort(source, parseVia('SIP/2.0/UDP 10.0.0.1;branch=a')), 5060);
  assert.equal(answerPort(source, parseVia('SIP/2.0/UDP 10.0.0.1:5070;branch=a')), 5070);
  assert.equal(answerPort(source, parseVia('SIP/2.0/UDP 10.0.0.1:5070;branch=a;rport')), 4000);
  assert.equal(answerPort(source, undefined), 4000);
});

test('a TCP connection carries answers back, answers a ping, and is reused for our own requests', async () => {
  const seen: string[] = [];
  const tcp = await listenTcp(any, {
    message(bytes, peer) {
      seen.push(bytes.toString());
      peer.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), assert.fail);
    },
    fault: () => assert.fail(),
  });
  const phone = connect(tcp.port, '127.0.0.1');
  phone.write('\r\n\r\n');
  assert.equal(String((await once(phone, 'data'))[0]), '\r\n');
  phone.write(OPTIONS.slice(0, 30));
  setTimeout(() => phone.write(OPTIONS.slice(30)), 20);
  assert.match(String((await once(phone, 'data'))[0]), /200 OK/);
  assert.deepEqual(seen, [OPTIONS]);
  const { localPort } = phone;
  const peer = await tcp.connect('127.0.0.1', localPort!);
  peer.send(Buffer.from('BYE'), assert.fail);
  assert.equal(String((await once(phone, 'data'))[0]), 'BYE');
  phone.destroy();
  await tcp.close();
});

test('a connection that breaks the framing is told and closed; a half-said message is not waited for', async () => {
  const tcp = await listenTcp(
    { ...any, limits: { partialMs: 50 } },
    { message() {}, fault: (fault, peer) => peer.send(Buffer.from(`SIP/2.0 ${fault.status} x\r\n\r\n`), () => {}) },
  );
  const broken = connect(tcp.port, '127.0.0.1');
  broken.write('OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n');
  assert.match(String((await once(broken, 'data'))[0]), /^SIP\/2.0 400/);
  await once(broken, 'close');
  const slow = connect(tcp.port, '127.0.0.1');
  slow.write('OPTIONS sip:a SIP/2.0\r\n');
  slow.resume();
  await once(slow, 'close');
  await tcp.close();
});

test('a refused connection is an error, not a hang', async () => {
  const tcp = await listenTcp(any, { message() {}, fault() {} });
  await assert.rejects(tcp.connect('127.0.0.1', 1));
  await tcp.close();
});

test('one address has its share of connections; silent ones are closed, early where others want in', async () => {
  const closed: number[] = [];
  const tcp = await listenTcp(
    { ...any, limits: { connections: 4, perSource: 3, silentMs: 300 } },
    { message: (_bytes, peer) => peer.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), () => {}), fault() {} },
  );
  const open = async (localAddress: string) => {
    const socket = connect({ port: tcp.port, host: '127.0.0.1', localAddress });
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'connect');
    return socket;
  };
  const speak = async (socket: Awaited<ReturnType<typeof open>>) => {
    socket.write(OPTIONS);
    await once(socket, 'data');
  };
  const crowd = [];
  for (let n = 0; n < 6; n++) {
    const socket = await open('127.0.0.2');
    crowd.push(socket);
    socket.on('close', () => closed.push(n));
  }
  await new Promise((done) => setTimeout(done, 50));
  assert.deepEqual(closed, [3, 4, 5], 'beyond its share');
  const phones = [await open('127.0.0.3'), await open('127.0.0.4')];
  for (const phone of phones) await speak(phone);
  assert.deepEqual(closed, [3, 4, 5, 0], 'the oldest silent one made room');
  await new Promise((done) => setTimeout(done, 400));
  // Of two as old as each other either may be heard of first.
  const inOrder = [...closed.slice(0, 4), ...closed.slice(4).sort()];
  assert.deepEqual(inOrder, [3, 4, 5, 0, 1, 2], 'nobody may be silent from the start');
  for (const phone of phones) await speak(phone);
  for (const phone of phones) phone.destroy();
  await tcp.close();
});

test('what one source leaves half said is bounded', async () => {
  const tcp = await listenTcp({ ...any, limits: { perSource: 200 } }, { message() {}, fault() {} });
  const half = OPTIONS.replace('Content-Length: 0', 'Content-Length: 60000') + 'x'.repeat(59_000);
  let closed = 0;
  const sockets = Array.from({ length: 100 }, () => {
    const socket = connect(tcp.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => closed++);
    socket.write(half);
    return socket.resume();
  });
  await new Promise((done) => setTimeout(done, 500));
  assert.ok(closed >= 25 && closed < 60, `${closed} of 100 were closed`);
  for (const socket of sockets) socket.destroy();
  await tcp.close();
});

const ANSWER = Buffer.from(`SIP/2.0 200 OK\r\nX: ${'x'.repeat(500)}\r\n\r\n`);
const dial = async (port: number, localAddress: string) => {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

test('who pipelines and never reads is not read any more, is closed, and holds up nobody else', async () => {
  let answered = 0;
  const tcp = await listenTcp(
    { ...any, limits: { stuckMs: 2_000 } },
    {
      message(_bytes, peer) {
        answered++;
        peer.send(ANSWER, () => {});
      },
      fault() {},
    },
  );
  const flood = Buffer.from(OPTIONS.repeat(50_000));
  const deaf = await Promise.all(Array.from({ length: 64 }, () => dial(tcp.port, '127.0.0.2')));
  let closed = 0;
  for (const socket of deaf) {
    socket.on('close', () => closed++);
    socket.pause();
    socket.write(flood);
  }
  await pause(1_500);
  const phone = await dial(tcp.port, '127.0.0.3');
  phone.write(OPTIONS);
  assert.match(String((await once(phone, 'data'))[0]), /200 OK/);
  assert.ok(answered < 64 * 50_000 * 0.9, `${answered}: not all of it was read`);
  await pause(4_000);
  for (const socket of deaf) socket.resume();
  await pause(500);
  assert.equal(closed, 64, 'who takes nothing for seconds is closed');
  phone.destroy();
  await tcp.close();
});

test('when much waits in all, the largest queue is closed and not whoever wants to send', async () => {
  const queues = createSendQueues(60_000);
  const sockets = Array.from({ length: 80 }, () => deafSocket());
  let failures = 0;
  const fail = () => failures++;
  // Of one source 4 MiB, of all 64.
  for (const [n, socket] of sockets.entries()) {
    const queue = queues.of(socket, `10.0.0.${n >> 2}`);
    for (let times = 0; times < 10; times++) queue.send(Buffer.alloc(100 * 1024 - 256), fail);
  }
  const open = () => sockets.filter(({ destroyed }) => !destroyed).length;
  assert.ok(open() >= 60 && open() <= 66, `${open()} are open`);
  const before = open();
  const late = deafSocket();
  queues.of(late, '10.0.1.1').send(Buffer.alloc(1_000), fail);
  await pause(10);
  assert.equal(late.destroyed, false);
  assert.ok(open() >= before - 1);
  const greedy = deafSocket();
  const own = queues.of(greedy, '10.0.2.1');
  for (let times = 0; times < 11; times++) own.send(Buffer.alloc(100 * 1024), fail);
  assert.equal(greedy.destroyed, true, 'a connection has 1 MiB');
  queues.close();
});

test('where all are taken, the longest idle without a leg makes room, and we can still connect', async () => {
  const inUse = new Set<string>();
  const tcp = await listenTcp(
    { ...any, limits: { connections: 10, perSource: 9 } },
    { message: (_bytes, peer) => peer.send(ANSWER, () => {}), fault() {}, inUse: () => inUse },
  );
  const guests = [];
  const closed: number[] = [];
  for (let n = 0; n < 9; n++) {
    const guest = await dial(tcp.port, '127.0.0.2');
    guest.on('close', () => closed.push(n));
    guest.write(OPTIONS);
    await once(guest, 'data');
    guests.push(guest);
  }
  inUse.add(`127.0.0.2:${guests[0]!.localPort}`);
  const carrier = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(carrier, 'listening');
  const { port } = carrier.address() as { port: number };
  assert.equal((await tcp.connect('127.0.0.1', port)).open, true, 'places are kept for ours');
  assert.deepEqual(closed, []);
  const phone = await dial(tcp.port, '127.0.0.3');
  phone.write(OPTIONS);
  await once(phone, 'data');
  await pause(20);
  assert.deepEqual(closed, [1], 'the first carries a leg');
  const own = await dial(tcp.port, '127.0.0.2');
  await once(own, 'close');
  assert.deepEqual(closed, [1], 'a source makes itself no room');
  for (const socket of [...guests, phone]) socket.destroy();
  await tcp.close();
  carrier.close();
});

/** Takes bytes and never hands them on. */
function deafSocket(): Duplex {
  return new Duplex({ read() {}, write() {} }).on('error', () => {});
}
