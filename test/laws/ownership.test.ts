/** Engines come, go and are replaced: each partition has an owner, and moves at most once for each of these. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryServer, memoryLog } from '@opentact/event-log';
import { PartitionTaken } from '@opentact/proto';
import { ownerAmong } from '@opentact/runtime';
import { inMemory, startEngine } from '../kit/cluster.ts';

type Engine = Awaited<ReturnType<typeof startEngine>>;

const SETTLED_MS = 20_000;
/** Long enough for a second of calm, a hand-over and a second thought. */
const CALM_MS = 2_500;

test('starting, stopping, killing and rolling engines moves each partition at most once', {
  timeout: 90_000,
}, async (t) => {
  const server = createMemoryServer();
  const log = memoryLog(server);
  const engines = new Map<string, Engine>();
  const start = async (name: string) => void engines.set(name, await startEngine(inMemory(server), name));
  t.after(async () => {
    for (const engine of engines.values()) await engine.stop();
    await log.close();
  });

  /** Who took each partition, in order. */
  async function takings(): Promise<string[][]> {
    const all: string[][] = [];
    for (let partition = 0; partition < log.partitions; partition++) {
      const mine: string[] = [];
      for await (const record of log.replay('calls.journal', partition, 0))
        if (record.headers.type === 'PartitionTaken') mine.push(PartitionTaken.decode(record.bytes).node);
      all.push(mine);
    }
    return all;
  }
  /** Does something, waits until every partition is where it belongs, and looks how often each moved for it. */
  async function moves(what: string, change: () => Promise<unknown>): Promise<void> {
    const before = await takings();
    await change();
    const belongs = before.map((_, n) => ownerAmong(n, [...engines.keys()]));
    const isHome = () => belongs.every((name, n) => engines.get(name!)?.engine.ownership.partition(n)?.isReady());
    for (const end = Date.now() + SETTLED_MS; !isHome(); await sleep(20))
      assert.ok(Date.now() < end, `${what}: partitions are not where they belong`);
    await sleep(CALM_MS);
    const after = await takings();
    for (const [n, owners] of after.entries()) {
      const moved = owners.length - before[n]!.length;
      assert.ok(moved <= 1, `${what}: partition ${n} moved ${moved} times: ${owners}`);
      if (before[n]!.at(-1) === belongs[n])
        assert.equal(moved, 0, `${what}: partition ${n} left its owner and came back`);
    }
  }
  const gone = (name: string) => {
    const engine = engines.get(name)!;
    engines.delete(name);
    return engine;
  };
  await moves('the first starts', () => start('engine-1'));
  await moves('a second joins', () => start('engine-2'));
  await moves('a third joins', () => start('engine-3'));
  await moves('one leaves', () => gone('engine-2').stop());
  await moves('it comes back', () => start('engine-2'));
  await moves('one is killed', async () => gone('engine-1').kill());
});
