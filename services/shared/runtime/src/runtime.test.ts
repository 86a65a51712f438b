import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  backoffMs,
  createCache,
  createLogger,
  createShutdown,
  logFile,
  maskUrl,
  murmur2,
  partitionOf,
  rendezvous,
  retry,
  serveHealth,
  serveSignOfLife,
  watchLoopDelay,
} from './index.ts';

const silent = () => createLogger({ service: 'test', node: 't', boot: 'b', level: 'silent' }, { write() {} });

test('murmur2 answers as Java’s does', () => {
  const of = (text: string) => murmur2(Buffer.from(text));
  assert.equal(of('21'), -973932308);
  assert.equal(of('foobar'), -790332482);
  assert.equal(of('a-little-bit-long-string'), -985981536);
  assert.equal(of('a-little-bit-longer-string'), -1486304829);
  assert.equal(of('lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8'), -58897971);
  assert.equal(of('abc'), 479470107);
});

test('partitions are used evenly', () => {
  const counts = new Array(8).fill(0);
  for (let i = 0; i < 8000; i++) counts[partitionOf(`key-${i}`, 8)]++;
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${counts}`);
});

test('when a node leaves, only what belonged to it moves', () => {
  const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
  for (const key of keys) {
    const before = rendezvous(key, ['a', 'b', 'c']);
    assert.equal(rendezvous(key, ['c', 'b', 'a']), before);
    if (before !== 'b') assert.equal(rendezvous(key, ['a', 'c']), before);
  }
  assert.equal(rendezvous('k', []), undefined);
  assert.ok(new Set(keys.map((k) => rendezvous(k, ['a', 'b', 'c']))).size === 3);
});

test('a stale answer is served while the other service is away or slow', async () => {
  let clock = 0;
  let mode: 'up' | 'down' | 'slow' = 'up';
  let asked = 0;
  const cache = createCache<string>(
    { max: 2, freshMs: 10, staleMs: 1000, patienceMs: 20 },
    async (key) => {
      asked++;
      if (mode === 'down') throw new Error('away');
      if (mode === 'slow') await sleep(80);
      return `${key}${asked}`;
    },
    () => clock,
  );
  assert.deepEqual(await Promise.all([cache.get('a'), cache.get('a')]), ['a1', 'a1']);
  clock = 20;
  mode = 'down';
  assert.equal(await cache.get('a'), 'a1');
  mode = 'slow';
  assert.equal(await cache.get('a'), 'a1');
  await sleep(100);
  assert.equal(await cache.get('a'), 'a3');
  clock = 5000;
  mode = 'down';
  await assert.rejects(cache.get('a'), /away/);
  mode = 'up';
  for (const key of ['x', 'y', 'z']) await cache.get(key);
  assert.equal(cache.size(), 2);
});

test('what is remembered is bounded in bytes, and that there is nothing pushes out nothing that is', async () => {
  let clock = 0;
  const asked: string[] = [];
  const cache = createCache<string | undefined>(
    { max: 50_000, maxBytes: 1024 * 1024, freshMs: 10, staleMs: 1000, patienceMs: 20 },
    async (key) => {
      asked.push(key);
      return key.startsWith('nobody') ? undefined : key;
    },
    () => clock,
  );
  await cache.get('real');
  for (let n = 0; n < 3_000; n++) assert.equal(await cache.get(`nobody${n}${'x'.repeat(7_000)}`), undefined);
  assert.ok(cache.size() < 200, `${cache.size()} of 2 MiB`);
  await cache.get('nobody');
  await cache.get('nobody');
  await cache.get('real');
  assert.equal(asked.length, 3_002, 'both are remembered');
  clock = 10;
  await cache.get('nobody');
  assert.equal(asked.length, 3_003, 'that there is nothing is asked again as soon as it is not fresh');
  for (let n = 0; n < 1_000; n++) await cache.get(`${n}${'x'.repeat(7_000)}`);
  assert.ok(cache.size() < 230, `${cache.size()} of 1 and 2 MiB`);
  await cache.get('x'.repeat(100_000));
  await cache.get('x'.repeat(100_000));
  assert.equal(asked.length, 3_003 + 1_000 + 2, 'what would push out a large part is not kept');
});

test('retry stops at its limit, and at what is not worth another try', async () => {
  let tries = 0;
  const failing = async () => {
    tries++;
    throw new Error(`no ${tries}`);
  };
  await assert.rejects(retry(failing, { tries: 3, firstMs: 1, maxMs: 2 }), /no 3/);
  tries = 0;
  await assert.rejects(retry(failing, { tries: 3, firstMs: 1, maxMs: 2, retryable: () => false }), /no 1/);
  assert.equal(backoffMs(10, { firstMs: 50, maxMs: 500 }, 1), 500);
  assert.equal(backoffMs(2, { firstMs: 50, maxMs: 500 }, 0), 25);
});

test('secrets never reach the log', () => {
  const lines: string[] = [];
  const log = createLogger({ service: 's', node: 'n', boot: 'b' }, { write: (line: string) => lines.push(line) });
  log.info({ password: 'hunter2', deep: { token: 'hunter2', headers: { authorization: 'hunter2' } }, fine: 1 }, 'x');
  assert.doesNotMatch(lines[0]!, /hunter2/);
  assert.match(lines[0]!, /"fine":1/);
  assert.equal(maskUrl('http://u:p@host:1/a/b?key=hunter2&b=1#f'), 'http://host:1/a/b?key=…&b=…');
  assert.match(maskUrl('::'), /2 characters/);
});

test('a log on a full disk ends nothing, and what waits for room is bounded', {
  skip: !existsSync('/dev/full'),
}, () => {
  const log = createLogger({ service: 's', node: 'n', boot: 'b' }, logFile('/dev/full'));
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 20_000; n++) log.error({ n, filling: 'x'.repeat(2_000) }, 'not written'); // 40 MB
  collect();
  assert.ok(process.memoryUsage().heapUsed - before < 10_000_000);
});

test('leaving runs every step in order, within its deadline, once', async () => {
  const host = Object.assign(new EventEmitter(), {
    codes: [] as number[],
    exit: (code: number) => host.codes.push(code),
  });
  const shutdown = createShutdown(silent(), host as never);
  const ran: string[] = [];
  shutdown.step('stuck', 20, () => new Promise(() => {}));
  shutdown.step('broken', 20, () => {
    throw new Error('x');
  });
  shutdown.step('last', 20, () => ran.push('last'));
  host.emit('SIGINT', 'SIGINT');
  host.emit('SIGINT', 'SIGINT'); // Ctrl-C arrives twice
  await shutdown.begin('again');
  await sleep(1);
  assert.deepEqual([ran, host.codes, shutdown.signal.aborted], [['last'], [0], true]);
  await sleep(1050);
  host.emit('SIGTERM', 'SIGTERM');
  assert.deepEqual(host.codes, [0, 130]);
});

function fetchPath(
  target: { port: number } | { socketPath: string },
  path: string,
): Promise<{ status: number; body: string }> {
  return new Promise((done, failed) => {
    get({ ...target, host: '127.0.0.1', path }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      done({ status: response.statusCode!, body });
    }).on('error', failed);
  });
}

test('readiness lists each check, and a failing one is 503', async (t) => {
  let fault: string | undefined = 'two partitions without an owner';
  const home = await mkdtemp(join(tmpdir(), 'opentact-health-'));
  const socketPath = join(home, 'run/x.health');
  const health = await serveHealth(socketPath, { log: async () => undefined, engine: () => fault });
  t.after(() => Promise.all([health.close(), rm(home, { recursive: true })]));
  assert.equal((await fetchPath({ socketPath }, '/health')).status, 200);
  const no = await fetchPath({ socketPath }, '/ready');
  assert.equal(no.status, 503);
  assert.deepEqual(JSON.parse(no.body), { ready: false, checks: { log: 'ok', engine: fault } });
  fault = undefined;
  assert.equal((await fetchPath({ socketPath }, '/ready')).status, 200);
  assert.equal((await fetchPath({ socketPath }, '/etc')).status, 404);
  await assert.rejects(serveHealth(socketPath, {}), /in use/);
});

test('a socket file left by a killed process is taken over', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'opentact-stale-'));
  t.after(() => rm(home, { recursive: true }));
  const path = join(home, 's');
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, [
    '-e',
    `net.createServer().listen(${JSON.stringify(path)},()=>console.log(1))`,
  ]);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await serveHealth(path, {})).close();
});

test('the event loop’s delay shows a blocked loop', async (t) => {
  const delay = watchLoopDelay(500);
  t.after(() => delay.stop());
  await sleep(60);
  const until = Date.now() + 80;
  while (Date.now() < until);
  await sleep(30);
  assert.ok(delay.p99Ms() > 50, `${delay.p99Ms()}`);
});

test('a sign of life is a connection that answers nothing and ends with its process', async () => {
  const life = await serveSignOfLife('127.0.0.1', '127.0.0.1');
  const socket = connect(Number(life.address.split(':')[1]), '127.0.0.1');
  await once(socket, 'connect');
  socket.on('data', () => assert.fail('it speaks')).write('anything');
  await sleep(50);
  assert.equal(socket.closed, false);
  // As many as may watch: none of them is sent away.
  const others = Array.from({ length: 200 }, () => connect(Number(life.address.split(':')[1]), '127.0.0.1'));
  await Promise.all(others.map((one) => once(one, 'connect')));
  await sleep(50);
  assert.equal(others.filter((one) => one.closed || one.destroyed || one.readableEnded).length, 0);
  // A connection that it had not taken yet is reset: that is its end as well.
  const ended = Promise.all(
    [socket, ...others].map((one) => new Promise((done) => one.on('error', () => {}).once('close', done))),
  );
  await life.close();
  await ended;
});
