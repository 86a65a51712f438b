import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchAddresses } from './kafka-liveness.ts';

/** A listener that counts whoever comes. @param keeps or ends each connection at once */
async function listener(t: TestContext, keeps: boolean) {
  const held = new Set<Socket>();
  let came = 0;
  const server = createServer((socket) => {
    came++;
    socket.on('error', () => {});
    if (!keeps) return socket.destroy();
    held.add(socket);
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const die = () => {
    server.close();
    for (const socket of held) socket.destroy();
  };
  t.after(die);
  const watch = watchAddresses();
  t.after(() => watch.close());
  watch.follow([{ name: 'n', boot: 'b', address, beats: 1 }]);
  return { watch, die, came: () => came };
}

test('a watcher that is one too many asks again now and then, and still sees the end', async (t) => {
  const { watch, die, came } = await listener(t, false);
  await sleep(800);
  assert.ok(came() >= 1 && came() <= 3, `${came()} connections`);
  assert.equal(watch.isFree('n', 'b'), undefined);
  die();
  for (const until = Date.now() + 20_000; Date.now() < until && !watch.isFree('n', 'b'); ) await sleep(5);
  assert.equal(watch.isFree('n', 'b'), true);
});

test('the end of a connection that stood is the node’s, at once', async (t) => {
  const { watch, die, came } = await listener(t, true);
  await sleep(1200);
  assert.deepEqual([came(), watch.isFree('n', 'b')], [1, undefined]);
  die();
  const from = performance.now();
  while (!watch.isFree('n', 'b') && performance.now() - from < 20_000) await sleep(5);
  // Sooner than silence would tell, 1.5 s.
  assert.ok(performance.now() - from < 1_500, `${performance.now() - from} ms`);
});
