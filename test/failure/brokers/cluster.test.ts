/** What only a cluster of three real brokers and real processes can show: kills in mid-transaction, a broker lost. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTopics, type EventLog, kafkaLog } from '@opentact/event-log';
import { retry } from '@opentact/runtime';
import { Admin } from '@platformatic/kafka';
import { type Cluster, startCluster } from '../../kit/broker.ts';

const JOURNAL = 'calls.journal';
let cluster: Cluster;
let brokers: string[];
let absent: string | undefined;
try {
  cluster = await startCluster(3);
  brokers = cluster.brokers.split(',');
} catch (error) {
  if (process.env.OPENTACT_REQUIRE === 'all') throw error;
  absent = `no Kafka: ${(error as Error).message}`;
}

const one = (body: string, key = 'k') => ({ records: [{ key, headers: {}, bytes: Buffer.from(body) }] });
async function bodies(log: EventLog, partition: number): Promise<string[]> {
  const found: string[] = [];
  for await (const record of log.replay(JOURNAL, partition, 0)) found.push(Buffer.from(record.bytes).toString());
  return found;
}
async function eventually(what: () => unknown): Promise<void> {
  for (const end = Date.now() + 30_000; !what(); await sleep(5))
    if (Date.now() > end) throw new Error(`not within 30 s: ${what}`);
}

/** A process with a log and a node of that name, which listens. It says a line when it is ready. */
async function joined(name: string, then = ''): Promise<ChildProcess> {
  const program = `import { createServer } from 'node:net';
    import { kafkaLog } from '${import.meta.resolve('@opentact/event-log')}';
    const log = await kafkaLog({ brokers: ${JSON.stringify(brokers)} });
    const server = createServer(() => {}).listen(0, '127.0.0.1', async () => {
      const address = '127.0.0.1:' + server.address().port;
      await log.registry.join({ name: '${name}', boot: '1', kind: 'test', address, loadPercent: 0 });
      ${then}
      console.log('joined');
    });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return child;
}

describe('kafka, three brokers', { skip: absent }, () => {
  let log: EventLog;
  before(async () => {
    await createTopics({ brokers, retainDays: 30 });
    log = await kafkaLog({ brokers });
  });
  after(async () => {
    await log.close();
    await cluster.stop();
  });

  test('the topics are made as the file says, once', async () => {
    const names = await createTopics({ brokers, retainDays: 30 });
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: brokers });
    const { topics } = await admin.metadata({ topics: names });
    await admin.close();
    const sizes = [...topics].map(([name, t]) => [name, t.partitions.length, t.partitions[0]!.replicas.length]).sort();
    assert.deepEqual(sizes, [
      ['calls.journal', 48, 3],
      ['calls.snapshots', 48, 3],
      ['events.public', 48, 3],
      ['events.public.snapshots', 48, 3],
      ['nodes', 1, 3],
    ]);
  });

  test('a killed process is seen gone before its silence would tell, a frozen one only by its silence', async (t) => {
    const watcher = await kafkaLog({ brokers });
    await watcher.registry.join({ name: 'judge', boot: '1', kind: 'test', address: '', loadPercent: 0 });
    const [killed, frozen] = await Promise.all([joined('killed'), joined('frozen')]);
    t.after(() => frozen.kill('SIGKILL'));
    const of = (name: string) => watcher.registry.nodes().find((n) => n.name === name)!;
    await eventually(() => of('killed') && of('frozen'));
    await sleep(1000); // Long enough for the watcher's connections.
    frozen.kill('SIGSTOP');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    await eventually(() => of('killed').gone);
    // By the end of its connection: its silence alone says so only after 1.5 s.
    assert.ok(of('killed').silentMs < 1_500, `${of('killed').silentMs} ms`);
    assert.equal(of('frozen').gone, false);
    await eventually(() => of('frozen').silentMs > 1500);
    assert.equal(of('frozen').gone, false);
    frozen.kill('SIGCONT');
    await eventually(() => of('frozen').silentMs < 700);
    await watcher.registry.leave('judge');
    await watcher.close();
  });

  test('what closes its door and goes on beating is not dead, a beat of a new boot is a new life', async () => {
    const [watcher, peer] = await Promise.all([kafkaLog({ brokers }), kafkaLog({ brokers })]);
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
    const sockets = new Set<import('node:net').Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    const unwatch = watcher.registry.watch(() => {});
    await peer.registry.join({ name: 'peer', boot: '1', kind: 'test', address, loadPercent: 0 });
    const seen = () => watcher.registry.nodes().find((n) => n.name === 'peer');
    await eventually(() => seen() && sockets.size > 0);
    await sleep(1100); // one that stood for less is not tried again at once
    server.close();
    for (const socket of sockets) socket.destroy();
    await eventually(() => seen()!.gone);
    await eventually(() => !seen()!.gone);
    await peer.registry.leave('peer');
    await peer.registry.join({ name: 'peer', boot: '2', kind: 'test', address: '', loadPercent: 0 });
    await eventually(() => seen()!.boot === '2' && !seen()!.gone);
    unwatch();
    await Promise.all([peer.close(), watcher.close()]);
  });

  test('an owner killed inside its transaction leaves nothing of it, and its partitions are had at once', async (t) => {
    // Appends of 2,000 records without a pause: whenever it is killed, one is under way.
    const child = await joined(
      'owner',
      `for (let p = 0; p < 12; p++) void (async () => {
         const writer = await log.take('${JOURNAL}', p);
         for (let n = 0; ; n++) await writer.append({ records: Array.from({ length: 200 }, (_, i) =>
           ({ key: 'k', headers: {}, bytes: Buffer.from(n + '.' + i) })) });
       })();
       await new Promise((done) => setTimeout(done, 1500));`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    const started = performance.now();
    const counts = await Promise.all(
      Array.from({ length: 12 }, async (_, p) => {
        const writer = await log.take(JOURNAL, p);
        await writer.append(one('taken'));
        await log.lowWater(JOURNAL, p);
        return (await bodies(log, p)).length;
      }),
    );
    const tookMs = performance.now() - started;
    t.diagnostic(`12 partitions taken, appended to and replayed in ${tookMs.toFixed(0)} ms`);
    assert.ok(tookMs < 12_000, `${tookMs} ms`);
    for (const count of counts) assert.equal(count % 200, 1, `${count} records: a transaction in part`);
  });

  test('a broker killed: its partitions go on elsewhere, nothing acknowledged is lost, nobody is declared dead', async (t) => {
    const other = await kafkaLog({ brokers });
    const node = (name: string) => ({ name, boot: '1', kind: 'test', address: '', loadPercent: 0 });
    await Promise.all([log.registry.join(node('a')), other.registry.join(node('b'))]);
    const losses: string[] = [];
    log.registry.watch((nodes) => {
      for (const n of nodes) if ((n.gone || n.silentMs > 1500) && /^[ab]$/.test(n.name)) losses.push(n.name);
    });
    const partitions = [20, 21, 22, 23];
    const acknowledged = new Map<number, string[]>(partitions.map((p) => [p, []]));
    const stop = new AbortController();
    const gaps: number[] = [];
    const writing = partitions.map(async (p) => {
      let writer = await log.take(JOURNAL, p);
      let at = performance.now();
      for (let n = 0; !stop.signal.aborted; n++) {
        try {
          await writer.append(one(String(n)));
          acknowledged.get(p)!.push(String(n));
          gaps.push(performance.now() - at);
          at = performance.now();
          await sleep(50);
        } catch (error) {
          assert.equal((error as { code: string }).code, 'unavailable');
          writer = await log.take(JOURNAL, p).catch(() => writer);
        }
      }
    });
    await sleep(2000);
    process.kill(cluster.pid(1), 'SIGKILL');
    await sleep(8000);
    stop.abort();
    await Promise.all(writing);
    const found = await Promise.all(partitions.map((p) => bodies(log, p)));
    const declaredDead = [...losses];
    // Before anything is judged: the next test wants all three.
    cluster.start();
    t.diagnostic(`longest time without an append: ${Math.max(...gaps).toFixed(0)} ms`);
    // A transaction of Kafka's would be waited for a minute.
    assert.ok(Math.max(...gaps) < 12_000, `${Math.max(...gaps)} ms without an append`);
    for (const [n, p] of partitions.entries()) {
      const lost = acknowledged.get(p)!.filter((body) => !found[n]!.includes(body));
      assert.deepEqual(lost, []);
      assert.equal(new Set(found[n]).size, found[n]!.length, 'a record twice');
    }
    assert.deepEqual(declaredDead, []);
    await log.registry.leave('a');
    await Promise.all([other.registry.leave('b'), other.ping()]);
    await other.close();
  });

  test('all brokers away: everything says so within its bound, nobody is lost, and it all comes back', async () => {
    const node = { name: 'c', boot: '1', kind: 'test', address: '', loadPercent: 0 };
    await log.registry.join(node);
    const writer = await log.take(JOURNAL, 30);
    await writer.append(one('kept'));
    for (const n of [1, 2, 3]) process.kill(cluster.pid(n), 'SIGKILL');
    const started = performance.now();
    await assert.rejects(writer.append(one('lost')), { code: 'unavailable' });
    await assert.rejects(writer.append(one('lost')), { code: 'unavailable' });
    await assert.rejects(log.ping(), { code: 'unavailable' });
    assert.ok(performance.now() - started < 12_000, `${performance.now() - started} ms`);
    assert.equal(log.registry.healthy(), false);
    cluster.start();
    await eventually(() => log.registry.healthy());
    // The brokers first have to end what was open; an owner tries again in the same way.
    const again = await retry(() => log.take(JOURNAL, 30), { tries: 20, firstMs: 500, maxMs: 500 });
    assert.ok(again.epoch > writer.epoch);
    await again.append(one('after'));
    assert.deepEqual(await bodies(log, 30), ['kept', 'after']);
    assert.equal(log.registry.nodes().find((n) => n.name === 'c')!.gone, false);
    await log.registry.leave('c');
  });
});
