/** Which connections are kept, for whom, and what is sent twice: a GET whose kept connection was over, and nothing else. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllowList } from '@opentact/runtime';
import { serve } from '../testing/customer-server.ts';
import { createDoor, type Door, type Method, readWhole } from './door.ts';

function doorFor(t: TestContext, addresses: () => string[] = () => ['127.0.0.1']): Door {
  const resolve = async () => addresses().map((address) => ({ address, family: 4 }) as const);
  const door = createDoor({ allowed: parseAllowList('127.0.0.1,127.0.0.2'), userAgent: 'test', resolve });
  t.after(() => door.close());
  return door;
}

async function ask(door: Door, url: string, method: Method = 'GET', account = 'a'): Promise<string> {
  const limits = { firstByteMs: 2_000, totalMs: 4_000 };
  const answer = await door.open({ url, account, method, body: '', headers: () => ({}), ...limits });
  return (await readWhole(answer, 1_000)).toString();
}

/** Says by which connection a request came. */
function numbered() {
  const sockets = new Map<Socket, number>();
  return (incoming: IncomingMessage, response: ServerResponse) => {
    const nth = sockets.get(incoming.socket) ?? sockets.size + 1;
    sockets.set(incoming.socket, nth);
    response.end(String(nth));
  };
}

test('a connection is kept for a GET of the same account to the same addresses, and no longer than a second', async (t) => {
  let address = '127.0.0.1';
  const door = doorFor(t, () => [address]);
  const port = await serve(t, numbered(), '0.0.0.0');
  const url = `http://good.test:${port}/`;
  assert.deepEqual([await ask(door, url), await ask(door, url)], ['1', '1']);
  assert.equal(await ask(door, url, 'GET', 'b'), '2', 'another account');
  assert.equal(await ask(door, url, 'POST'), '3', 'a POST may not be sent twice');
  assert.equal(await ask(door, url, 'POST'), '4');
  address = '127.0.0.2';
  assert.equal(await ask(door, url), '5', 'the name has another address');
  await sleep(1_300);
  assert.equal(await ask(door, url), '6', 'a second has passed');
});

test('an answer that is not read leaves no connection to be used again', async (t) => {
  const door = doorFor(t);
  const next = numbered();
  const port = await serve(t, (incoming, response) => {
    if (incoming.url !== '/big') return next(incoming, response);
    response.write(Buffer.alloc(500_000), () => {});
  });
  await assert.rejects(ask(door, `http://good.test:${port}/big`), /more than 1000 bytes/);
  assert.equal(await ask(door, `http://good.test:${port}/`), '1');
});

/** Answers the first request of a connection, and ends the connection as the second one comes. @returns its port and requests heard */
async function tired(t: TestContext) {
  const heard: string[] = [];
  const server = createServer((socket) => {
    let requests = 0;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard.push(bytes.toString('latin1').split(' ', 1)[0]!);
      if (++requests > 1) socket.destroy();
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  return { port: (server.address() as { port: number }).port, heard };
}

test('a GET whose kept connection was over is sent once more, on a new one; on a new one nothing is sent twice', async (t) => {
  const door = doorFor(t);
  const { port, heard } = await tired(t);
  const url = `http://good.test:${port}/`;
  assert.deepEqual([await ask(door, url), await ask(door, url)], ['ok', 'ok']);
  assert.deepEqual(heard, ['GET', 'GET', 'GET']);
  const deaf = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      heard.push('deaf');
      socket.destroy();
    });
  });
  await new Promise<void>((done) => deaf.listen(0, '127.0.0.1', done));
  t.after(() => deaf.close());
  const other = `http://good.test:${(deaf.address() as { port: number }).port}/`;
  for (const method of ['GET', 'POST'] as const)
    await assert.rejects(ask(door, other, method), { reason: 'connect' }, method);
  assert.equal(heard.filter((what) => what === 'deaf').length, 2);
});

test('a server that answers by another protocol, or hangs up, is told by a reason, and within its time', async (t) => {
  const door = doorFor(t);
  const port = await serve(t, (_, response) => {
    response.socket!.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
  });
  await assert.rejects(ask(door, `http://good.test:${port}/`), { reason: 'connect' });
});

test('an answer that leads nowhere is left at once, and holds no connection', async (t) => {
  const door = doorFor(t);
  const gone: Array<Promise<unknown>> = [];
  const port = await serve(t, (incoming, response) => {
    gone.push(new Promise((done) => incoming.socket.once('close', done)));
    response.writeHead(302, { location: 'ftp://good.test/' });
    const more = () => void (response.destroyed || response.write(Buffer.alloc(65_536), more));
    more();
  });
  await assert.rejects(ask(door, `http://good.test:${port}/`), { reason: 'bad-url' });
  await Promise.all(gone);
  assert.equal(gone.length, 1);
});
