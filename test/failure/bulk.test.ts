/**
 * Numbers called in bulk, through a trunk behind which a stranger's phones stand, while api and a flow engine are killed:
 * each number is called once. `OPENTACT_BULK=500 node --test test/failure/bulk.test.ts` calls five hundred.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@opentact/client';
import pg from 'pg';
import { environmentOf } from '../kit/environment.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { freePorts } from '../kit/ports.ts';

const COUNT = Number(process.env.OPENTACT_BULK ?? 150);
const PACE = 25;
const FARM = fileURLToPath(new URL('../scenarios/sipp/farm.xml', import.meta.url));
const missing = spawnSync('sipp', ['-v']).error ? 'sipp (Debian: sip-tester) is not installed' : false;

let platform: Platform;
let farm: ChildProcess;
let folder: string;

before(
  async () => {
    if (missing) return;
    const [sip, media] = (await freePorts(2)) as [number, number];
    folder = mkdtempSync(join(tmpdir(), 'opentact-farm-'));
    const args = ['-sf', FARM, '-i', '127.0.0.1', '-mi', '127.0.0.1', '-p', String(sip), '-mp', String(media)];
    farm = spawn('sipp', [...args, '-nostdin', '-trace_logs', '-trace_err'], { cwd: folder, stdio: 'ignore' });
    platform = await startPlatform({ OPENTACT_TRUNK: `sip:us:secret@127.0.0.1:${sip}` });
    await platform.whole();
  },
  { timeout: 90_000 },
);
after(async () => {
  farm?.kill('SIGKILL');
  await platform?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

/** What no customer may change: how much the demo's account may do at once. */
async function allow(): Promise<void> {
  const client = new pg.Client({ connectionString: environmentOf(platform, 'api', 'OPENTACT_API_DATABASE_URL') });
  await client.connect();
  await client.query('update account set balance = 1000, calls_max = 400, dials_per_minute_max = 6000');
  await client.end();
}

/** Calls that were made and not answered, with their reasons. */
async function unanswered(api: Client, uuid: string): Promise<string[]> {
  const found: string[] = [];
  for (let skip = 0; skip < COUNT; skip += 100) {
    const { data } = await api.listBatchItems({ uuid, take: 100, skip });
    for (const { phone, reason, call } of data)
      if (!call?.answer_on) found.push(`${phone} ${call?.uuid} ${call?.owner}: ${reason}`);
  }
  return found;
}

test(`${COUNT} numbers, api and a flow engine killed in the middle: each is called once`, {
  timeout: 150_000,
  skip: missing,
}, async () => {
  await allow();
  const { apiKey } = JSON.parse(readFileSync(join(platform.home, 'demo.json'), 'utf8'));
  const api = createClient({ url: `http://127.0.0.1:${platform.httpPort}` }).as({ token: apiKey });
  const { data: offers } = await api.search({ body: { pattern: '*' } });
  await api.createOrder({ body: { items: [{ tn: offers[0]!.tn }] } });
  const { uuid: tn_lease } = await api.getTNLeaseByUUID({ lease: String(offers[0]!.tn) });
  const phones = Array.from({ length: COUNT }, (_, n) => 14045550000 + n);
  const xml = '<Response><Pause length="500"/></Response>';
  const { uuid } = await api.createBatch({ body: { phones, tn_lease, xml, pace: PACE } });

  const killed: string[] = [];
  let batch = await api.getBatch({ uuid });
  for (const end = Date.now() + 120_000; batch.state !== 'done'; ) {
    assert.ok(Date.now() < end, JSON.stringify({ ...batch, xml: '' }));
    if (batch.ordered > COUNT * 0.25 && killed.length === 0) killed.push('api') && platform.kill('api');
    if (batch.ordered > COUNT * 0.55 && killed.length === 1)
      killed.push('flow-engine-1') && platform.kill('flow-engine-1');
    await new Promise((r) => setTimeout(r, 200));
    batch = await api.getBatch({ uuid }).catch(() => batch); // api is away for a moment
  }
  assert.deepEqual(killed, ['api', 'flow-engine-1']);
  assert.deepEqual([batch.total, batch.ordered, batch.refused, batch.waiting], [COUNT, COUNT, 0, 0]);
  assert.equal(batch.ended, COUNT);

  // Everybody was rung and spoken to: what died was neither an edge nor media.
  assert.deepEqual(await unanswered(api, uuid), []);
  farm.kill('SIGTERM');
  await once(farm, 'exit');
  const log = readdirSync(folder).find((name) => name.endsWith('_logs.log'))!;
  const called = readFileSync(join(folder, log), 'utf8')
    .split('\n')
    .flatMap((line) => /called (\d+) (\S+)/.exec(line)?.slice(1) ?? []);
  const numbers = called.filter((_, n) => n % 2 === 0);
  assert.equal(new Set(numbers).size, COUNT);
  assert.equal(numbers.length, COUNT, 'a number was called twice');
});
