/**
 * The engine dies at its n-th write, for every n of a call: before the write, after the write before its answer is
 * heard (so before any acknowledgement or ask). Another takes over; the final story must be the same.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMemoryServer, embeddedPostgres, postgresLog } from '@opentact/event-log';
import { type CallEvent, callIdOfInvite } from '@opentact/proto';
import { ownerAmong, partitionOf } from '@opentact/runtime';
import { arrived } from '../../services/flow-engine/src/simulate/simulate.ts';
import { type Fault, inMemory, type OpenLog, startEngine, startNodes, untilSettled } from '../kit/cluster.ts';

const XML = `<Response>
  <Say>hello</Say>
  <Record tag="r"/>
  <Gather numDigits="2" attempts="2" timeout="20000"><Say>press two keys</Say>
    <Switch><Case dtmf="12"><Callback url="http://127.0.0.1:1/c" tag="once"/></Case></Switch></Gather>
  <Dial><Sip>a@127.0.0.1:9</Sip></Dial>
  <Say>bye</Say>
</Response>`;
const scenario = {
  xml: XML,
  press: ['1', '2'],
  calleeStaysMs: 2_000,
  server: () => ({ status: 200, body: '<Response><Say>fetched</Say></Response>' }),
};

/** What the caller lived through: which verbs ran and how they ended, what was asked of the world, how it ended. */
const essence = (story: CallEvent[]) =>
  story.flatMap((e) => {
    if (e.type === 'VerbEnded') return [`${e.path} ${e.reason}`];
    if (e.type === 'PlayRequested') return [`play ${JSON.stringify(e.items)}`];
    if (e.type === 'DocumentRequested') return [`document ${e.idempotencyKey.slice(36)}`];
    if (e.type === 'DialRequested') return [`dial ${e.leg}`];
    return e.type === 'CallEnded' ? [`ended ${e.owner} ${e.reason}`] : [];
  });

let calls = 0;

/** One call through two engines, the owner of its partition with a fault. */
async function run(open: OpenLog, fault?: Fault): Promise<{ story: CallEvent[]; operations: number; asked: string[] }> {
  const first = await startEngine(open, 'flow-engine-1', fault ?? { at: 1_000_000, when: 'before', what: 'die' });
  const nodes = await startNodes(open, scenario);
  await until(() => first.isDead() || first.engine.ownership.owned().length === 8);
  const reader = await open();
  // The second comes late, so that the first owns everything; it takes over only when the first is gone.
  const second = await startEngine(open, 'flow-engine-2');
  const callId = ownedByFirst(reader.partitions);
  try {
    void nodes.call(callId, arrived(scenario)).catch(() => undefined);
    const story = await untilSettled(reader, callId, 15_000);
    const asked = nodes.done.filter((d) => d.event.type === 'PlayRequested').map((d) => String(d.event.seq));
    return { story, operations: first.operations(), asked };
  } finally {
    await nodes.stop();
    await first.stop();
    await second.stop();
    await reader.close();
  }
}

/** A call whose partition stays with the first engine as long as that lives. */
function ownedByFirst(partitions: number): string {
  for (;;) {
    const callId = callIdOfInvite('secret', `enumerated-${++calls}`, 'tag', 1);
    if (ownerAmong(partitionOf(callId, partitions), ['flow-engine-1', 'flow-engine-2']) === 'flow-engine-1')
      return callId;
  }
}

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !what(); await new Promise((r) => setTimeout(r, 5)))
    if (Date.now() > end) throw new Error(`not within 5 s: ${what}`);
}

/** Writes 1 … 16 take the partitions; a call begins after them. */
const FIRST_WRITE = 17;

/** Every place to die or to lose the log, each `stride`-th. */
function faultsOf(operations: number, stride: number): Fault[] {
  const faults: Fault[] = [];
  for (let at = FIRST_WRITE; at <= operations; at++)
    for (const when of ['before', 'after'] as const)
      faults.push({ at, when, what: 'die' }, { at, when, what: 'unavailable' });
  return faults.filter((_, i) => i % stride === 0);
}

/** Runs a call with each fault. `open` gives a log that no other run shares, or runs must not overlap. */
async function enumerate(opened: () => OpenLog, stride: number, together: number): Promise<number> {
  const undisturbed = await run(opened());
  const expected = essence(undisturbed.story);
  assert.equal(expected.filter((e) => e.endsWith('Callback[0].Say[0] finished')).length, 1, expected.join('\n'));
  assert.ok(undisturbed.operations > FIRST_WRITE + 10, `only ${undisturbed.operations} writes`);
  const faults = faultsOf(undisturbed.operations, stride);
  const planned = faults.length;
  const worker = async () => {
    for (let fault = faults.shift(); fault; fault = faults.shift()) {
      const label = `${fault.what} at write ${fault.at}, ${fault.when} it`;
      const { story, asked } = await run(opened(), fault).catch((error: Error) =>
        assert.fail(`${label}: ${error.message}`),
      );
      assert.deepEqual(essence(story), expected, label);
      assert.deepEqual(
        story.map((e) => e.seq),
        story.map((_, i) => i + 1),
        `${label}: a gap`,
      );
      assert.equal(new Set(asked).size, asked.length, `${label}: a prompt was played twice`);
    }
  };
  await Promise.all(Array.from({ length: together }, worker));
  return planned;
}

test('an engine may die at any write of a call: the story ends the same, and nothing is asked twice', {
  timeout: 120_000,
}, async (t) => {
  const runs = await enumerate(() => inMemory(createMemoryServer()), 1, 8);
  t.diagnostic(`${runs} faults on memory`);
  assert.ok(runs > 40, `${runs} faults`);
});

test('the same on postgres, at every seventh place', { timeout: 120_000 }, async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'opentact-enumeration-'));
  const postgres = await embeddedPostgres({ home, databases: ['opentact'] });
  t.after(async () => {
    await postgres.stop();
    rmSync(home, { recursive: true, force: true });
  });
  const open: OpenLog = async () => {
    const log = await postgresLog({ url: postgres.url('opentact'), retainDays: 1 });
    return { ...log, crash: () => void log.close() };
  };
  const runs = await enumerate(() => open, 7, 1);
  t.diagnostic(`${runs} faults on postgres`);
  assert.ok(runs >= 7, `${runs} faults`);
});
