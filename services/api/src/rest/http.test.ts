/** Who holds connections and doesn't use them keeps nobody out. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHttp } from './http.ts';

async function serving(t: TestContext, trustedProxies: string[] = []) {
  let answer: () => void = () => {};
  const slow = new Promise<void>((done) => {
    answer = done;
  });
  const http = createHttp({
    ...{ checks: {}, recordings: '/nowhere', token: 'secret', trustedProxies },
    connections: { max: 6, perSource: 4 },
    rest: async (rest) => {
      rest.get('/slow', () => slow.then(() => ({ slow: true })));
    },
  });
  await http.listen({ host: '127.0.0.1', port: 0 });
  const { port } = http.server.address() as AddressInfo;
  const opened: Socket[] = [];
  t.after(() => {
    for (const socket of opened) socket.destroy();
    return http.close();
  });
  const open = async (localAddress: string) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    opened.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    await sleep(20);
    return socket;
  };
  const ask = (localAddress: string, path = '/health') =>
    new Promise<number | undefined>((done) => {
      const asking = request({ host: '127.0.0.1', port, localAddress, path, agent: false }, (response) => {
        response.resume().on('end', () => done(response.statusCode));
      });
      asking.on('error', () => done(undefined)).end();
    });
  return { open, ask, answer: () => answer() };
}

test('one source has its share, and the longest idle connection makes room where all are in use', async (t) => {
  const { open, ask, answer } = await serving(t);
  const slow = ask('127.0.0.2', '/rest/slow');
  await sleep(50);
  const idle = [await open('127.0.0.2'), await open('127.0.0.2'), await open('127.0.0.2')];
  assert.equal(await ask('127.0.0.2'), undefined, 'its share is used up');
  const others = [await open('127.0.0.3'), await open('127.0.0.3')];
  assert.equal(await ask('127.0.0.4'), 200);
  await sleep(20);
  assert.deepEqual(
    [...idle, ...others].map(({ destroyed, readableEnded }) => destroyed || readableEnded),
    [true, false, false, false, false],
  );
  answer();
  assert.equal(await slow, 200, 'what is used is not closed');
});

test('a trusted proxy has no share: it brings everybody', async (t) => {
  const { open, ask } = await serving(t, ['127.0.0.5']);
  for (let i = 0; i < 6; i++) await open('127.0.0.5');
  assert.equal(await ask('127.0.0.5'), 200);
});
