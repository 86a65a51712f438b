/** Names are resolved beside each other: one whose servers never answer holds up none. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { createNames } from '@opentact/runtime';
import { createHostResolver } from './host-resolver.ts';

test('thirty names whose servers never answer hold up neither each other nor one that is answered', async (t) => {
  const server = createSocket('udp4');
  server.on('message', (question, from) => {
    if (question.includes('silent')) return;
    const isA = question.readUInt16BE(question.length - 4) === 1 || question.includes(Buffer.from([0, 1, 0, 1]));
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(isA ? 1 : 0, 6);
    head.writeUInt16BE(0, 10);
    const ends = question.indexOf(0, 12) + 5;
    const answer = Buffer.from('c00c00010001000000050004c0000207', 'hex');
    server.send(Buffer.concat([head, question.subarray(12, ends), ...(isA ? [answer] : [])]), from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const open = () => createHostResolver(createNames({ underWay: 1_024 }, [`127.0.0.1:${server.address().port}`]));
  const [trunks, connections] = [open(), open()];
  let over = 0;
  const silent = Array.from({ length: 30 }, (_, i) => connections(`silent${i}.example`));
  for (const each of silent) void each.then(() => over++);
  assert.deepEqual(await trunks('carrier.example'), ['192.0.2.7']);
  assert.ok(over < silent.length, 'sooner than they give up');
  const began = performance.now();
  assert.deepEqual((await Promise.all(silent)).flat(), []);
  // One after the other they would take a minute.
  assert.ok(performance.now() - began < 30_000, 'all of them in the time of a few');
  assert.ok((await trunks('localhost')).includes('127.0.0.1'), 'this machine’s own names');
});
