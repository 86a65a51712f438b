import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { parseMessage } from '../stack/message/parse.ts';
import { openHouse } from '../testing/house.ts';
import { withoutCredentials } from './trace.ts';

test('a message that is kept holds no credentials, in however many lines, and its body as it was', () => {
  const body = 'v=0\r\nAuthorization: Digest response="in the body"\r\n';
  const kept = withoutCredentials(
    Buffer.from(
      'INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:1@h>\r\nCall-ID: c\r\n' +
        'CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:a@h>\r\nauthorization : Digest username="a",\r\n response="secret1"\r\n' +
        `Proxy-Authorization:Digest username="a", response="secret2"\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ),
  );
  assert.ok(!/secret|username/.test(kept.toString()), kept.toString());
  const message = parseMessage(kept);
  assert.ok(message.kind === 'request');
  assert.equal(message.body.toString(), body);
  assert.equal(message.headers.get('proxy-authorization'), 'Digest ***');
});

test('empty lines before a message hide nothing of it', async () => {
  const invite =
    'INVITE sip:18005550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKk\r\nMax-Forwards: 70\r\n' +
    'From: <sip:a@h>;tag=a\r\nTo: <sip:b@h>\r\nCall-ID: k\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1>\r\n' +
    'Authorization: Digest username="secret"\r\nContent-Length: 0\r\n\r\n';
  assert.ok(!withoutCredentials(Buffer.from(`\r\n\r\n${invite}`)).includes('secret'));
  const house = await openHouse({});
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const send = () => socket.send(`\r\n\r\n${invite}behind it`, house.edge.port, '127.0.0.1');
  send();
  const { callId } = await house.engine.fact('CallArrived');
  send();
  const received = () => house.edge.messages(callId)!.filter(({ direction }) => direction === 'in');
  while (received().length < 2) await new Promise((done) => setTimeout(done, 10));
  for (const { text } of received()) assert.ok(text.startsWith('INVITE') && !/secret|behind/.test(text), text);
  socket.close();
  await house.close();
});

test('cutting credentials out takes a time that grows with the message alone', () => {
  const took = (count: number) => {
    const bytes = Buffer.from(`INVITE sip:1@h SIP/2.0\r\n${'authorization:\t \r\n '.repeat(count)}\r\n\r\n`);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 10; i++) {
      const began = performance.now();
      withoutCredentials(bytes);
      best = Math.min(best, performance.now() - began);
    }
    return best;
  };
  took(1000);
  const [small, large] = [took(1000), took(8000)];
  assert.ok(large < 24 * small + 1, `${small} ms, ${large} ms`);
});
