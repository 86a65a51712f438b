/** What every adapter of the port promises, run against each of them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createMemoryServer,
  type EmbeddedPostgres,
  type EventLog,
  embeddedPostgres,
  kafkaLog,
  memoryLog,
  type NewRecord,
  postgresLog,
  type SeenNode,
} from './index.ts';

/** `absent`: why this adapter can't be tried here. */
type Adapter = {
  name: string;
  absent?: string;
  start(): Promise<void>;
  open(): Promise<EventLog>;
  stop(): Promise<void>;
};

function memory(): Adapter {
  let server = createMemoryServer();
  return {
    name: 'memory',
    start: async () => {
      server = createMemoryServer();
    },
    open: async () => memoryLog(server),
    stop: async () => {},
  };
}

function postgres(): Adapter {
  let home = '';
  let server: EmbeddedPostgres;
  return {
    name: 'postgres',
    async start() {
      home = await mkdtemp(join(tmpdir(), 'opentact-log-'));
      server = await embeddedPostgres({ home, databases: ['opentact'] });
    },
    open: () => postgresLog({ url: server.url('opentact') }),
    async stop() {
      await server.stop();
      await rm(home, { recursive: true });
    },
  };
}

function kafka(): Adapter {
  const brokers = process.env.KAFKA_BROKERS ? process.env.KAFKA_BROKERS.split(',') : undefined;
  const isOwed = process.env.OPENTACT_REQUIRE === 'all';
  return {
    name: 'kafka',
    absent: brokers || isOwed ? undefined : 'no Kafka: KAFKA_BROKERS is not set (npm test sets it)',
    start: async () => assert.ok(brokers, 'OPENTACT_REQUIRE=all and KAFKA_BROKERS is not set'),
    // As few partitions as on postgres: a broker of a test pays for each.
    open: () => kafkaLog({ brokers: brokers!, partitions: 8 }),
    stop: async () => {},
  };
}

const text = (bytes: Uint8Array | null) => (bytes ? Buffer.from(bytes).toString() : null);
const record = (key: string, body: string, headers: Record<string, string> = {}): NewRecord => ({
  key,
  headers,
  bytes: Buffer.from(body),
});
async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
async function eventually<T>(what: () => T | undefined | false): Promise<T> {
  for (const until = Date.now() + 20_000; ; await sleep(5)) {
    const found = what();
    if (found) return found;
    if (Date.now() > until) throw new Error(`not within 20 s: ${what}`);
  }
}

for (const adapter of [memory(), postgres(), kafka()])
  describe(adapter.name, { skip: adapter.absent }, () => {
    let log: EventLog;
    let topics = 0;
    const run = process.hrtime.bigint(); // A broker outlives the run.
    const topic = () => `topic-${run}-${++topics}`;
    before(async () => {
      await adapter.start();
      log = await adapter.open();
    });
    after(async () => {
      await log.close();
      await adapter.stop();
    });

    test('what was appended is replayed in order, whole, with its headers', async () => {
      const t = topic();
      const writer = await log.take(t, 3);
      const first = await writer.append({ records: [record('a', '1', { type: 'x"y\\', seq: '1' }), record('b', '')] });
      const second = await writer.append({ records: [record('a', 'ünï €')] });
      assert.ok(second > first);
      const found = await all(log.replay(t, 3, 0));
      assert.deepEqual(
        found.map((r) => [r.key, text(r.bytes), r.headers]),
        [
          ['a', '1', { type: 'x"y\\', seq: '1' }],
          ['b', '', {}],
          ['a', 'ünï €', {}],
        ],
      );
      assert.equal(found.at(-1)!.position, second);
      assert.deepEqual(await all(log.replay(t, 3, second)), []);
      assert.deepEqual(await all(log.replay(t, 4, 0)), []);
      assert.deepEqual(
        (await all(log.replay(t, 3, first))).map((r) => text(r.bytes)),
        ['ünï €'],
      );
    });

    test('bytes of any value and size come back as they were', async () => {
      const t = topic();
      const bytes = Buffer.alloc(70_000, 0);
      for (let i = 0; i < bytes.length; i++) bytes[i] = i % 256;
      const writer = await log.take(t, 0);
      await writer.append({ records: [record('k', 'x'), { key: 'k', headers: {}, bytes }, record('k', 'y')] });
      const found = await all(log.replay(t, 0, 0));
      assert.ok(Buffer.from(found[1]!.bytes).equals(bytes));
      assert.equal(text(found[2]!.bytes), 'y');
    });

    test('a taking fences every earlier writer, and a fenced append writes nothing', async () => {
      const t = topic();
      const old = await log.take(t, 1);
      await old.append({ records: [record('k', 'old')] });
      const young = await log.take(t, 1);
      assert.ok(young.epoch > old.epoch);
      assert.equal(await old.check(), false);
      assert.equal(await young.check(), true);
      const fenced = old.append({ records: [record('k', 'late')], snapshots: [{ key: 'k', bytes: Buffer.from('s') }] });
      await assert.rejects(fenced, { code: 'fenced' });
      await assert.rejects(old.append({ records: [] }), { code: 'fenced' });
      await young.append({ records: [record('k', 'young')] });
      assert.deepEqual(
        (await all(log.replay(t, 1, 0))).map((r) => text(r.bytes)),
        ['old', 'young'],
      );
      assert.deepEqual(await all(log.snapshots(t, 1)), []);
    });

    test('of two writers racing, exactly what was acknowledged is in the log', async () => {
      const t = topic();
      const other = await adapter.open();
      const acknowledged: string[] = [];
      const refused: string[] = [];
      async function fight(mine: EventLog, name: string): Promise<void> {
        for (let round = 0; round < 6; round++) {
          const writer = await mine.take(t, 0);
          for (let i = 0; i < 4; i++) {
            const id = `${name}.${round}.${i}`;
            const done = await writer.append({ records: [record('k', id)] }).then(
              () => true,
              () => false,
            );
            (done ? acknowledged : refused).push(id);
            if (!done) break;
          }
        }
      }
      await Promise.all([fight(log, 'a'), fight(other, 'b')]);
      const found = await all(log.replay(t, 0, 0));
      assert.deepEqual(found.map((r) => text(r.bytes)).sort(), acknowledged.sort());
      const positions = found.map((r) => r.position);
      assert.deepEqual(
        positions,
        [...new Set(positions)].sort((a, b) => a - b),
      );
      await other.close();
    });

    test('the newest snapshot of a key counts, a tombstone ends it', async () => {
      const t = topic();
      const writer = await log.take(t, 2);
      const s = (key: string, body: string | null) => ({ key, bytes: body === null ? null : Buffer.from(body) });
      await writer.append({ records: [record('a', '1')], snapshots: [s('a', 'a1'), s('b', 'b1')] });
      const position = await writer.append({ records: [record('a', '2')], snapshots: [s('a', 'x'), s('a', 'a2')] });
      await writer.append({ records: [], snapshots: [s('b', null), s('c', null)] });
      assert.deepEqual(
        (await all(log.snapshots(t, 2))).map((x) => [x.key, x.position, text(x.bytes)]),
        [['a', position, 'a2']],
      );
    });

    test('the low-water mark only rises', async () => {
      const t = topic();
      assert.equal(await log.lowWater(t, 0), 0);
      const writer = await log.take(t, 0);
      await writer.append({ records: [record('k', '1')], lowWater: 1 });
      await writer.append({ records: [record('k', '2')] });
      assert.equal(await log.lowWater(t, 0), 1);
      await writer.append({ records: [], lowWater: 2 });
      assert.equal(await log.lowWater(t, 0), 2);
    });

    test('whoever opens it sees the same id, by which positions are told apart from another log’s', async () => {
      const other = await adapter.open();
      assert.equal(other.id, log.id);
      assert.match(log.id, /^(memory|postgres \d+\.\d+|kafka \S+)$/);
      await other.close();
    });

    test('one key’s records are read by themselves', async () => {
      const t = topic();
      const { partitionOf } = await import('@opentact/runtime');
      const writer = await log.take(t, partitionOf('mine', log.partitions));
      const first = await writer.append({ records: [record('mine', '1')] });
      await writer.append({ records: [record('other', 'x'), record('mine', '2')] });
      assert.deepEqual(
        (await all(log.readKey(t, 'mine'))).map((r) => text(r.bytes)),
        ['1', '2'],
      );
      assert.deepEqual(
        (await all(log.readKey(t, 'mine', first))).map((r) => text(r.bytes)),
        ['2'],
      );
      assert.deepEqual(await all(log.readKey(t, 'nobody')), []);
    });

    test('many records cross pages without loss', async () => {
      const t = topic();
      const writer = await log.take(t, 5);
      await writer.append({ records: Array.from({ length: 600 }, (_, i) => record(`k${i % 7}`, String(i))) });
      const found = await all(log.replay(t, 5, 0));
      assert.deepEqual(
        found.map((r) => text(r.bytes)),
        Array.from({ length: 600 }, (_, i) => String(i)),
      );
    });

    test('a follower of another process sees each record once, in order, within 50 ms', async () => {
      const t = topic();
      const other = await adapter.open();
      const writer = await log.take(t, 6);
      await writer.append({ records: [record('k', '0')] });
      const seen: string[] = [];
      const stop = new AbortController();
      const following = (async () => {
        for await (const r of other.follow(t, 6, 0, stop.signal)) seen.push(text(r.bytes)!);
      })();
      await eventually(() => seen.length === 1);
      await sleep(100);
      const delays: number[] = [];
      for (let i = 1; i <= 20; i++) {
        await writer.append({ records: [record('k', String(i))] });
        const appended = performance.now();
        await eventually(() => seen.length === i + 1);
        delays.push(performance.now() - appended);
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 21 }, (_, i) => String(i)),
      );
      delays.sort((a, b) => a - b);
      assert.ok(delays[10]! < 50, `median ${delays[10]} ms`);
      stop.abort();
      await following;
      await other.close();
    });

    test('who joins is seen by all, who leaves is gone at once', async () => {
      const other = await adapter.open();
      const node = (name: string, boot: string) => ({ name, boot, kind: 'test', address: 'here:1', loadPercent: 7 });
      await log.registry.join(node('judge', '1'));
      const changes: SeenNode[][] = [];
      const unwatch = log.registry.watch((nodes) => changes.push(nodes));
      await other.registry.join(node('peer', '1'), () => 42);
      const peer = () => log.registry.nodes().find((n) => n.name === 'peer');
      await eventually(() => peer()?.loadPercent === 42);
      assert.equal(log.registry.healthy(), true);
      await sleep(1200);
      assert.equal(peer()!.gone, false);
      assert.ok(peer()!.silentMs < 1000, `${peer()!.silentMs}`);
      await other.registry.leave('peer');
      await eventually(() => peer()?.gone);
      // It said so: its silence alone tells only after 1.5 s.
      assert.ok(peer()!.silentMs < 1_500, `${peer()!.silentMs} ms`);
      await eventually(() => changes.at(-1)!.find((n) => n.name === 'peer')?.gone);
      // The same name at a new boot is a new life.
      await other.registry.join(node('peer', '2'));
      await eventually(() => peer()?.boot === '2' && !peer()?.gone);
      unwatch();
      await other.registry.leave('peer');
      await log.registry.leave('judge');
      await other.close();
    });

    test('nodes of one process beat together, and each joins and leaves by itself', async () => {
      const other = await adapter.open();
      const node = (name: string, boot = '1') => ({ name, boot, kind: 'test', address: 'here:1', loadPercent: 7 });
      const seen = (of: EventLog, name: string) => of.registry.nodes().find((n) => n.name === name);
      await other.registry.join(node('cell.engine'), () => 1);
      await other.registry.join(node('cell.edge'), () => 2);
      const unwatch = log.registry.watch(() => {});
      await eventually(() => seen(log, 'cell.engine')?.loadPercent === 1 && seen(log, 'cell.edge')?.loadPercent === 2);
      await sleep(1200);
      for (const name of ['cell.engine', 'cell.edge']) {
        assert.equal(seen(log, name)!.gone, false);
        assert.ok(seen(log, name)!.silentMs < 1000, `${seen(log, name)!.silentMs}`);
        assert.equal(seen(other, name)!.gone, false);
      }
      await other.registry.leave('cell.edge');
      await eventually(() => seen(log, 'cell.edge')?.gone);
      assert.equal(other.registry.healthy(), true);
      await sleep(700);
      assert.equal(seen(log, 'cell.engine')!.gone, false);
      await other.registry.leave('cell.edge'); // once more says nothing
      await other.registry.leave('cell.engine');
      await eventually(() => seen(log, 'cell.engine')?.gone);
      unwatch();
      await other.close();
    });

    test('a log that answers can be pinged, a closed one can’t', async () => {
      const other = await adapter.open();
      await other.ping();
      await other.close();
      await other.close();
      await assert.rejects(other.ping(), { code: 'unavailable' });
    });
  });
