// The two transports on real sockets of the loopback.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { parseVia } from '../message/fields.ts';
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
