/** Names of one account whose servers don't answer hold up nobody else's requests. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { type TestContext, test } from 'node:test';
import { createNames, parseAllowList } from '@opentact/runtime';
import { serve } from '../testing/customer-server.ts';
import { createDoor, type Door, readWhole } from './door.ts';

const HEADER_BYTES = 12;

/** A name server on loopback: `slow…` is never answered, every other name is 127.0.0.1. */
async function nameServer(t: TestContext): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { address, port }) => {
    if (bytes.toString('latin1', HEADER_BYTES + 1, HEADER_BYTES + 5) === 'slow') return;
    const end = bytes.indexOf(0, HEADER_BYTES) + 5;
    const isA = bytes.readUInt16BE(end - 4) === 1;
    const head = Buffer.from(bytes.subarray(0, HEADER_BYTES));
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(isA ? 1 : 0, 6);
    head.fill(0, 8);
    const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 127, 0, 0, 1]);
    const parts = [head, bytes.subarray(HEADER_BYTES, end), ...(isA ? [record] : [])];
    socket.send(Buffer.concat(parts), port, address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  t.after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

function get(door: Door, url: string, account: string, firstByteMs = 5000): Promise<string> {
  const request = { url, account, method: 'GET' as const, body: '', headers: () => ({}), firstByteMs, totalMs: 5000 };
  return door.open(request).then(
    async (answer) => (await readWhole(answer, 1000)).toString(),
    (error: Error & { reason: string }) => `${error.reason} ${error.message}`,
  );
}

test('names that nobody answers for cost their own account its look-ups, and nobody else anything', async (t) => {
  const resolve = createNames({}, [await nameServer(t)]).addresses;
  const door = createDoor({ allowed: parseAllowList('127.0.0.1'), userAgent: 'test', resolve });
  t.after(() => door.close());
  const port = await serve(t, (_, response) => void response.end('here'));
  const slow = Array.from({ length: 40 }, (_, n) => get(door, `http://slow${n}.test:${port}/`, 'greedy'));
  let over = 0;
  for (const each of slow) void each.then(() => over++);
  for (let n = 0; n < 4; n++) assert.equal(await get(door, `http://good${n}.test:${port}/`, 'other'), 'here');
  assert.ok(over < slow.length, 'the slow ones still wait');
  const refused = await Promise.all(slow);
  assert.equal(refused.filter((why) => /too many names/.test(why)).length, 24);
  assert.ok(
    refused.every((why) => why.startsWith('connect ')),
    refused.join(),
  );
  assert.match(await get(door, `http://slow.test:${port}/`, 'a', 50), /^timeout no answer within 50 ms/);
});

test('names of this machine are known without a name server', async (t) => {
  const door = createDoor({ allowed: parseAllowList('127.0.0.1,::1'), userAgent: 'test' });
  t.after(() => door.close());
  const port = await serve(t, (_, response) => void response.end('here'));
  assert.equal(await get(door, `http://localhost:${port}/`, 'a'), 'here');
});
