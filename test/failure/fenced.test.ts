/**
 * An engine that lives and can't act: frozen for ten seconds and continued, or cut off from its broker in a network
 * namespace. Another takes its calls over; what it does afterwards is fenced, and its asks are refused.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openLog } from '@opentact/event-log';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import { type CallEvent, PartitionTaken } from '@opentact/proto';
import { partitionOf } from '@opentact/runtime';
import pg from 'pg';
import { environmentOf } from '../kit/environment.ts';
import { runInNamespace } from '../kit/namespace.ts';
import { callDocument } from '../kit/place-call.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { freePorts } from '../kit/ports.ts';
import { eventually, outcome, verbs } from '../kit/scene.ts';

const BROKERS = process.env.KAFKA_BROKERS ?? '';
const NO_BROKER = BROKERS ? false : 'it needs a Kafka: KAFKA_BROKERS names one (npm test starts one)';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FROZEN_MS = 10_000;
/** Silence of 1.5 s, and then a taking. */
const TAKEN_OVER_MS = 8_000;
const ROUNDS = 5;
const XML =
  '<Response><Gather numDigits="2" timeout="60000"><Say>Press two keys.</Say></Gather><Say>Thank you.</Say></Response>';

const logOf = (home: string, name: string) => {
  const path = join(home, 'logs', `${name}.log`);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

async function pressed(platform: Platform, call: PhoneCall, digit: string, ms: number): Promise<CallEvent> {
  await call.peer.press(digit);
  return platform.until(call.platformCallId, (e) => e.type === 'DigitPressed' && e.digit === digit, ms);
}

/** The records of a call's partition, each with the engine that had taken it last before. */
async function writersOf(log: 'postgres' | 'kafka', platform: Platform, callId: string) {
  const databaseUrl = log === 'postgres' ? databaseOf(platform) : undefined;
  const events = await openLog({ log, databaseUrl, kafkaBrokers: BROKERS.split(','), retainDays: 1 } as never);
  try {
    const partition = partitionOf(callId, events.partitions);
    let owner = '';
    const records: Array<{ owner: string; key: string }> = [];
    for await (const record of events.replay('calls.journal', partition, 0)) {
      if (record.headers.type === 'PartitionTaken') owner = PartitionTaken.decode(record.bytes).node;
      records.push({ owner, key: record.key });
    }
    return records;
  } finally {
    await events.close();
  }
}

const databaseOf = (platform: Platform) => environmentOf(platform, 'flow-engine-1', 'DATABASE_URL');

async function stage(t: TestContext, log: 'postgres' | 'kafka'): Promise<{ platform: Platform; phone: Phone }> {
  const kafka = { OPENTACT_LOG: 'kafka', KAFKA_BROKERS: BROKERS };
  const environment: Record<string, string> = log === 'kafka' ? kafka : { OPENTACT_LOG: 'postgres' };
  const [platform, phone] = await Promise.all([startPlatform(environment), openPhone()]);
  t.after(async () => {
    await phone.close();
    await platform.stop();
  });
  await platform.whole();
  return { platform, phone };
}

function proper(story: CallEvent[]): void {
  assert.deepEqual(
    story.map((e) => e.seq),
    story.map((_, i) => i + 1),
  );
  assert.deepEqual(verbs(story), ['Gather[0] entered 12', 'Say[0] finished']);
  assert.equal(outcome(story), 'document: document-end');
}

for (const log of ['postgres', 'kafka'] as const)
  test(`frozen for ten seconds on ${log}: another goes on with its calls, and what it wakes up with is refused`, {
    timeout: 120_000,
    skip: log === 'kafka' && NO_BROKER,
  }, async (t) => {
    const { platform, phone } = await stage(t, log);
    const call = await callDocument(platform, phone, XML);
    const callId = call.platformCallId;
    await platform.until(callId, (e) => e.type === 'LegConfirmed');
    const owner = platform.ownerOf(callId);
    const frozenAt = Date.now();
    platform.kill(owner, 'SIGSTOP');
    const first = await pressed(platform, call, '1', FROZEN_MS);
    t.diagnostic(`the other engine learned a key ${first.at - frozenAt} ms after the freeze`);
    assert.ok(first.at - frozenAt < TAKEN_OVER_MS);
    await sleep(FROZEN_MS - (Date.now() - frozenAt));
    const wokenAt = Date.now();
    platform.kill(owner, 'SIGCONT');
    await eventually(
      () => /"reason":"fenced"|an ask was refused/.test(since(logOf(platform.home, owner), wokenAt)),
      `${owner} found nothing out`,
    );
    const refused = since(logOf(platform.home, owner), wokenAt).match(/an ask was refused/g)?.length ?? 0;
    t.diagnostic(`${owner} was fenced; ${refused} asks of it were refused`);
    await pressed(platform, call, '2', 10_000);
    proper(await platform.ended(callId));
    await judgeWriters(log, platform, callId, owner);
  });

test('frozen in the middle of a write: what it would ask when it wakes is refused', { timeout: 120_000 }, async (t) => {
  const { platform, phone } = await stage(t, 'postgres');
  // Whether it asks before it notices how long it slept is a race that it may win; it never may get what it asks for.
  let refused = 0;
  for (let round = 1; round <= ROUNDS && refused === 0; round++) {
    refused = await freezeInAWrite(platform, phone);
    t.diagnostic(`round ${round}: ${refused} asks of the woken engine were refused`);
    await platform.whole();
  }
  assert.ok(refused > 0, `no stale ask in ${ROUNDS} rounds`);
});

/** @returns how many asks of the woken engine were refused. */
async function freezeInAWrite(platform: Platform, phone: Phone): Promise<number> {
  const prompt = 'Press two keys, and take all the time in the world for it. '.repeat(10);
  const call = await callDocument(platform, phone, XML.replace('Press two keys.', prompt));
  const callId = call.platformCallId;
  await platform.until(callId, (e) => e.type === 'PlayRequested');
  const owner = platform.ownerOf(callId);
  // Its write of the key and of the wish to silence the prompt waits for this row, and lands while it is frozen.
  const row = await holdPartition(databaseOf(platform), callId);
  let frozenAt = 0;
  try {
    await call.peer.press('1');
    await row.waitedFor();
    platform.kill(owner, 'SIGSTOP');
    frozenAt = Date.now();
  } finally {
    await row.release();
  }
  const took = () => platform.tookOverSince(callId, frozenAt).some((name) => name !== owner);
  await eventually(took, 'nobody took its partition');
  // At once: a while later the nodes have hung up on it, and hear nothing that they could refuse.
  const wokenAt = Date.now();
  platform.kill(owner, 'SIGCONT');
  await platform.until(callId, (e) => e.type === 'PlayStopped');
  await eventually(() => /"reason":"fenced"/.test(since(logOf(platform.home, owner), wokenAt)), 'it slept on');
  await pressed(platform, call, '2', 10_000);
  const story = await platform.ended(callId);
  proper(story);
  assert.equal(story.filter((e) => e.type === 'PlayStopRequested').length, 1);
  await judgeWriters('postgres', platform, callId, owner);
  return since(logOf(platform.home, owner), wokenAt).match(/"reason":"stale"[^\n]*an ask was refused/g)?.length ?? 0;
}

/** Locks the row that every append to a call's partition moves. */
async function holdPartition(connectionString: string, callId: string) {
  const [holder, observer] = [new pg.Client({ connectionString }), new pg.Client({ connectionString })];
  await Promise.all([holder.connect(), observer.connect()]);
  await holder.query('begin');
  await holder.query(`select 1 from log_partition where topic = 'calls.journal' and partition = $1 for update`, [
    partitionOf(callId, 8),
  ]);
  return {
    async waitedFor() {
      const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'with given%'`;
      for (const end = Date.now() + 20_000; (await observer.query(waiting)).rows.length === 0; await sleep(10))
        if (Date.now() > end) throw new Error('no append waits for the row');
    },
    async release() {
      await holder.query('commit');
      await Promise.all([holder.end(), observer.end()]);
    },
  };
}

/** The story went on under another owner; that each `seq` stands in the journal once, `proper` has shown. */
async function judgeWriters(log: 'postgres' | 'kafka', platform: Platform, callId: string, lost: string) {
  const records = await writersOf(log, platform, callId);
  const mine = records.filter((r) => r.key === callId);
  const taking = mine.findIndex((r) => r.owner !== lost);
  assert.ok(taking > 0, `${lost} wrote all of it: ${mine.map((r) => r.owner)}`);
}

const since = (log: string, at: number) =>
  log
    .split('\n')
    .filter((line) => line && Date.parse((JSON.parse(line) as { time: string }).time) >= at)
    .join('\n');

test('cut off from the broker in a network namespace: another goes on, and nothing it writes is seen', {
  timeout: 180_000,
  skip: NO_BROKER,
}, async (t) => {
  const { platform, phone } = await stage(t, 'kafka');
  const folder = mkdtempSync(join(tmpdir(), 'opentact-cut-'));
  let output = '';
  const [inward] = (await freePorts(1)) as [number];
  const engine = await runInNamespace({
    folder,
    outward: BROKERS.split(',').map((broker) => Number(broker.split(':')[1])),
    inward,
    args: [join(ROOT, 'services/flow-engine/src/main.ts'), '--name', 'flow-engine-3'],
    env: {
      ...platform.environment,
      OPENTACT_LOG: 'kafka',
      OPENTACT_LINK_PORT: String(inward),
      OPENTACT_HEALTH: join(folder, 'health'),
    },
    log: (text) => {
      output += text;
    },
  });
  t.after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually(() => output.includes('"partition ready"'), `it took nothing:\n${output.slice(-2000)}`, 40_000);
  const call = await callOwnedBy(platform, phone, () => output);
  const callId = call.platformCallId;
  await platform.until(callId, (e) => e.type === 'LegConfirmed');
  const cutAt = Date.now();
  engine.cut();
  const first = await pressed(platform, call, '1', 20_000);
  t.diagnostic(`another engine learned a key ${first.at - cutAt} ms after the cut`);
  assert.ok(first.at - cutAt < TAKEN_OVER_MS);
  await sleep(3_000);
  engine.mend();
  await eventually(() => /"reason":"(fenced|unavailable)"/.test(output), 'it never found out', 20_000);
  await pressed(platform, call, '2', 15_000);
  proper(await platform.ended(callId));
  await judgeWriters('kafka', platform, callId, 'flow-engine-3');
});

/** Calls until one lies in a partition that the engine in the namespace owns. */
async function callOwnedBy(platform: Platform, phone: Phone, output: () => string): Promise<PhoneCall> {
  for (let tries = 0; tries < 40; tries++) {
    const call = await callDocument(platform, phone, XML);
    const taken = new RegExp(`"partition":${partitionOf(call.platformCallId, 48)},[^\\n]*"partition ready"`);
    if (taken.test(output())) return call;
    call.hangup();
    await platform.ended(call.platformCallId);
  }
  throw new Error('no call came to it');
}
