// Messages between edges over real gRPC, with the registry in memory.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryServer, type MemoryServer, memoryLog } from '@opentact/event-log';
import { closeGrpc, createGrpcServer, listenGrpc } from '@opentact/runtime';
import type { EdgeInstance, Forwarded } from '../edge/port.ts';
import type { Peer } from '../stack/transport/peer.ts';
import { openCluster } from './cluster.ts';
import { addClusterService } from './cluster-server.ts';

async function eventually(what: () => unknown): Promise<void> {
  for (const until = Date.now() + 20_000; !what(); await sleep(5))
    if (Date.now() > until) throw new Error(`not in time: ${what}`);
}

async function edge(
  t: TestContext,
  registry: MemoryServer,
  name: string,
  { claims = name, load = 0, token = 't' } = {},
) {
  const self: EdgeInstance = { node: name, instanceId: 'b1' };
  const events = memoryLog(registry);
  const heard: { message: Forwarded; back: Peer | undefined }[] = [];
  const replies: string[] = [];
  const connection = { open: true };
  const listener = {
    forwarded: (message: Forwarded, back: Peer | undefined) => void heard.push({ message, back }),
    reply(to: { address: string; port: number }, bytes: Buffer) {
      replies.push(`${to.address}:${to.port} ${bytes}`);
      return connection.open;
    },
  };
  const server = createGrpcServer('t');
  addClusterService(server, { ...self, node: claims }, listener);
  const address = `127.0.0.1:${await listenGrpc(server, '127.0.0.1:0')}`;
  await events.registry.join({ name, boot: 'b1', kind: 'sip-edge', address, loadPercent: load }, () => load);
  const cluster = openCluster({ self, registry: events.registry, token }, listener);
  t.after(async () => {
    cluster.close();
    await closeGrpc(server, 50);
    await events.close();
  });
  const kill = () => {
    server.forceShutdown();
    events.crash();
  };
  return { self, cluster, heard, replies, connection, kill, stop: () => server.forceShutdown() };
}

const message = (text: string, transport: 'udp' | 'tcp' = 'udp'): Forwarded => ({
  ...{ bytes: Buffer.from(text), transport, source: { address: '192.0.2.1', port: 5099 } },
});

test('a message arrives whole and in order, with where it came from', { timeout: 10_000 }, async (t) => {
  const server = createMemoryServer();
  const [a, b] = [await edge(t, server, 'a'), await edge(t, server, 'b')];
  await eventually(() => a.cluster.lives(b.self));
  assert.equal(a.cluster.lives({ node: 'b', instanceId: 'older' }), false);
  assert.deepEqual([a.cluster.others(), a.cluster.lives(a.self)], [true, false]);
  for (let i = 0; i < 200; i++) a.cluster.forward(b.self, message(`m${i}`), () => assert.fail('undelivered'));
  await eventually(() => b.heard.length === 200);
  assert.deepEqual(
    b.heard.map(({ message: { bytes } }) => bytes.toString()),
    Array.from({ length: 200 }, (_, i) => `m${i}`),
  );
  assert.deepEqual(b.heard[0]?.message.source, { address: '192.0.2.1', port: 5099 });
  assert.equal(b.heard[0]?.back, undefined, 'over UDP the port is shared');
});

test('over TCP answers go back over the edge that has the connection, until that is closed', {
  timeout: 10_000,
}, async (t) => {
  const server = createMemoryServer();
  const [a, b] = [await edge(t, server, 'a'), await edge(t, server, 'b')];
  await eventually(() => a.cluster.lives(b.self));
  a.cluster.forward(b.self, message('one', 'tcp'), () => {});
  await eventually(() => b.heard.length === 1);
  const back = b.heard[0]?.back;
  assert.ok(back);
  back.send(Buffer.from('answer'), assert.fail);
  await eventually(() => a.replies.length === 1);
  assert.equal(a.replies[0], '192.0.2.1:5099 answer');
  a.connection.open = false;
  const failed = new Promise((done) => back.send(Buffer.from('late'), done));
  await failed;
  assert.equal(back.open, false);
  a.connection.open = true;
  a.cluster.forward(b.self, message('two', 'tcp'), () => {});
  await eventually(() => b.heard.length === 2);
  const next = b.heard[1]?.back;
  assert.equal(next?.open, true, 'a phone that connects again from there is reached again');
  a.cluster.close();
  await eventually(() => next?.open === false);
});

test('what surely didn’t arrive is handed back: a dead edge, another one at its address, a wrong token', {
  timeout: 20_000,
}, async (t) => {
  const server = createMemoryServer();
  const a = await edge(t, server, 'a');
  const stranger = await edge(t, server, 'b', { claims: 'c' });
  const closed = await edge(t, server, 'd');
  const doubtful = await edge(t, server, 'e', { token: 'wrong' });
  await eventually(() => [stranger, closed, doubtful].every(({ self }) => a.cluster.lives(self)));
  closed.stop();
  const back: string[] = [];
  for (const { self } of [stranger, closed]) a.cluster.forward(self, message('m'), () => back.push(self.node));
  a.cluster.forward({ node: 'nobody', instanceId: 'b1' }, message('m'), () => back.push('nobody'));
  doubtful.cluster.forward(a.self, message('m'), () => back.push('token'));
  await eventually(() => back.length === 4);
  assert.deepEqual(back.sort(), ['b', 'd', 'nobody', 'token']);
  assert.deepEqual([stranger.heard, a.heard], [[], []]);
});

test('who leaves is no heir, and of all that leave the first is', { timeout: 10_000 }, async (t) => {
  const server = createMemoryServer();
  const [a, b, c] = [
    await edge(t, server, 'a', { load: 100 }),
    await edge(t, server, 'b', { load: 100 }),
    await edge(t, server, 'c'),
  ];
  await eventually(() => a.cluster.lives(c.self) && b.cluster.lives(c.self));
  assert.deepEqual([a.cluster.heirs(), b.cluster.heirs(), c.cluster.heirs()], ['staying', 'staying', 'leaving']);
  c.kill();
  await eventually(() => !a.cluster.lives(c.self) && !b.cluster.lives(c.self));
  assert.deepEqual([a.cluster.heirs(), b.cluster.heirs()], [undefined, 'leaving']);
});

test('an edge that went silent is no heir, whatever its name', { timeout: 10_000 }, async (t) => {
  const server = createMemoryServer();
  const [a, b] = [await edge(t, server, 'a', { load: 101 }), await edge(t, server, 'b', { load: 100 })];
  await eventually(() => a.cluster.lives(b.self) && b.cluster.lives(a.self));
  assert.equal(b.cluster.heirs(), undefined);
});
