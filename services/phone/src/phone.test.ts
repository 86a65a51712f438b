import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { formatResponse } from '../../sip-edge/src/stack/message/build.ts';
import type { SipRequest } from '../../sip-edge/src/stack/message/message.ts';
import { parseMessage } from '../../sip-edge/src/stack/message/parse.ts';
import { openPhone } from './phone.ts';

/** A server that answers each INVITE with the next of these; the last one from then on. */
async function refusing(...answers: Array<[status: number, ...lines: Array<[string, string]>]>) {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const invites: SipRequest[] = [];
  const acks: string[] = [];
  const all = Promise.withResolvers<void>();
  socket.on('message', (bytes, { address, port }) => {
    const message = parseMessage(bytes) as SipRequest;
    if (message.method === 'ACK' && acks.push(message.callId) === answers.length) all.resolve();
    if (message.method !== 'INVITE') return;
    const [status, ...lines] = answers[Math.min(invites.length, answers.length - 1)]!;
    invites.push(message);
    socket.send(formatResponse(message, { address, port }, status, { toTag: 'server', lines }), port, address);
  });
  return {
    uri: `sip:1@127.0.0.1:${socket.address().port}`,
    invites,
    acks,
    acknowledged: all.promise,
    close: () => socket.close(),
  };
}

test('what is refused for congestion is called again when Retry-After says so, as another call', {
  timeout: 20_000,
}, async () => {
  const congested: [number, ...Array<[string, string]>] = [
    503,
    ['Reason', 'Q.850;cause=42'],
    ['Retry-After', '1'],
    ['X-Opentact-Call-Id', 'nobody'],
  ];
  const [server, phone] = await Promise.all([refusing(congested, congested, [404]), openPhone()]);
  try {
    const call = await phone.call(server.uri, { lines: ['X-Mine: yes'] });
    await call.until('ended');
    assert.equal(call.ended?.status, 404);
    assert.equal(call.platformCallId, '');
    const ids = server.invites.map((invite) => invite.callId);
    assert.equal(new Set(ids).size, 3);
    assert.ok(server.invites.every((invite) => invite.headers.get('x-mine') === 'yes'));
    await server.acknowledged;
    assert.deepEqual(server.acks, ids);
  } finally {
    await phone.close();
    server.close();
  }
});

test('a call that nobody took is told', async () => {
  const refusal: [number, ...Array<[string, string]>] = [503, ['Reason', 'Q.850;cause=41'], ['Retry-After', '1']];
  const [server, phone] = await Promise.all([refusing(refusal), openPhone()]);
  try {
    const call = await phone.call(server.uri);
    await call.until('ended');
    assert.equal(call.ended?.status, 503);
    assert.equal(server.invites.length, 1);
  } finally {
    await phone.close();
    server.close();
  }
});
