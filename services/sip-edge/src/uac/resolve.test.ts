import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createNames, type Names } from '@opentact/runtime';
import { createResolve } from './resolve.ts';

/** Knows `good.test` and waits for ever for the rest. */
function namesThatWait() {
  const asked: string[] = [];
  const names: Names = {
    addresses: (host, asker) => {
      asked.push(`${host} for ${asker}`);
      return host === 'good.test' ? Promise.resolve([{ address: '192.0.2.1', family: 4 }]) : new Promise(() => {});
    },
    services: async (name) => (name === '_sip._udp.srv.test' ? [srv('good.test', 5070)] : []),
  };
  return { names, asked };
}

const srv = (name: string, port: number) => ({ name, port, priority: 0, weight: 0 });
const stranger = { of: '198.51.100.1', isTrunk: false };

test('a port means addresses, none SRV first', async () => {
  const resolve = createResolve(namesThatWait().names);
  assert.deepEqual(await resolve('good.test', 5062, 'udp', stranger), [{ address: '192.0.2.1', port: 5062 }]);
  assert.deepEqual(await resolve('srv.test', undefined, 'udp', stranger), [{ address: '192.0.2.1', port: 5070 }]);
  assert.deepEqual(await resolve('good.test', undefined, 'tcp', stranger), [{ address: '192.0.2.1', port: 5060 }]);
});

test('hosts of trunks are looked up apart from what others name', async () => {
  const [others, trunks] = [namesThatWait(), namesThatWait()];
  const resolve = createResolve(others.names, trunks.names);
  await resolve('good.test', 5060, 'udp', stranger);
  await resolve('good.test', 5060, 'udp', { of: 'account-1', isTrunk: true });
  assert.deepEqual(others.asked, ['good.test for 198.51.100.1']);
  assert.deepEqual(trunks.asked, ['good.test for account-1']);
});

test('slow names of strangers take no thread that a file or another name waits for', async () => {
  const silent = createSocket('udp4');
  await new Promise<void>((done) => silent.bind(0, '127.0.0.1', done));
  const resolve = createResolve(createNames({}, [`127.0.0.1:${silent.address().port}`]));
  let over = 0;
  const slow = Array.from({ length: 20 }, (_, n) => resolve(`slow${n}.test`, 5060, 'udp', stranger));
  for (const each of slow) void each.then(() => over++);
  await readFile(import.meta.filename);
  assert.deepEqual((await resolve('localhost', 5060, 'udp', stranger))[0], { address: '127.0.0.1', port: 5060 });
  assert.ok(over < slow.length, 'what is slow still waits');
  assert.deepEqual((await Promise.all(slow)).flat(), []);
  silent.close();
});
