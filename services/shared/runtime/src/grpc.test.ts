import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, status } from '@grpc/grpc-js';
import { bearer, CHANNEL_OPTIONS, closeGrpc, createGrpcServer, listenGrpc, listenShared } from './grpc.ts';

const echo = {
  path: '/test.Echo/Say',
  requestStream: false,
  responseStream: false,
  requestSerialize: (text: string) => Buffer.from(text),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (text: string) => Buffer.from(text),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
} as const;

function echoServer(token?: string) {
  const server = createGrpcServer(token);
  server.addService({ say: echo }, {
    say: (call: { request: string }, answer: (e: null, r: string) => void) => answer(null, call.request),
  } as never);
  return server;
}

function say(client: Client, text: string, token?: string): Promise<string> {
  return new Promise((done, failed) => {
    client.makeUnaryRequest(
      echo.path,
      echo.requestSerialize,
      echo.responseDeserialize,
      text,
      bearer(token),
      { deadline: Date.now() + 2000 },
      (error, answer) => (error ? failed(error) : done(answer!)),
    );
  });
}

const clientOf = (address: string) => new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}

test('a call without the token is refused', async (t) => {
  const server = echoServer('s3cret');
  const port = await listenGrpc(server, '127.0.0.1:0');
  const client = clientOf(`127.0.0.1:${port}`);
  t.after(async () => {
    client.close();
    await closeGrpc(server, 100);
  });
  assert.equal(await say(client, 'hi', 's3cret'), 'hi');
  await assert.rejects(say(client, 'hi'), { code: status.UNAUTHENTICATED });
});

test('one source has so many connections to a shared port, and leaves the others room', async (t) => {
  const port = await freePort();
  const server = echoServer();
  const shared = await listenShared(server, '127.0.0.1', port, { max: 5, perSource: 3 });
  const opened: Socket[] = [];
  t.after(() => {
    for (const socket of opened) socket.destroy();
    return Promise.all([shared.close(), closeGrpc(server, 100)]);
  });
  /** Whether it is served: a server of HTTP/2 speaks first. */
  const isServed = async (localAddress: string) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    opened.push(socket);
    return Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)]);
  };
  for (const served of [true, true, true, false]) assert.equal(await isServed('127.0.0.2'), served);
  for (const served of [true, true, false]) assert.equal(await isServed('127.0.0.3'), served);
  opened[0]!.destroy();
  await once(opened[0]!, 'close');
  await sleep(50);
  assert.equal(await isServed('127.0.0.4'), true);
});

test('two processes share a gRPC port, and killing either leaves it served', async (t) => {
  const port = await freePort();
  const server = echoServer();
  const shared = await listenShared(server, '127.0.0.1', port);
  const other = spawn(process.execPath, [
    '-e',
    `import('${import.meta.dirname}/grpc.ts').then(async (g) => {
      const server = g.createGrpcServer();
      await g.listenShared(server, '127.0.0.1', ${port});
      console.log('up');
    })`,
  ]);
  await once(other.stdout, 'data');
  other.kill('SIGKILL');
  await once(other, 'exit');
  for (let i = 0; i < 8; i++) {
    const client = clientOf(`127.0.0.1:${port}`);
    assert.equal(await say(client, `n${i}`), `n${i}`);
    client.close();
  }
  t.after(() => Promise.all([shared.close(), closeGrpc(server, 100)]));
});
