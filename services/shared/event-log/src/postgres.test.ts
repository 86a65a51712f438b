/** What only a real server and real processes can show: kills, restarts, adoption. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type EmbeddedPostgres, type EventLog, embeddedPostgres, postgresLog } from './index.ts';
import { migrate } from './schema.ts';
import { queriesOf } from './testing/index.ts';

let home: string;
let server: EmbeddedPostgres;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-pg-')); // mkdtemp makes it 0700
  server = await embeddedPostgres({ home, databases: ['opentact'] });
});
after(async () => {
  await server.stop();
  await rm(home, { recursive: true });
});

const node = (name: string) => ({ name, boot: '1', kind: 'test', address: 'a', loadPercent: 0 });
const one = (body: string) => ({ records: [{ key: 'k', headers: {}, bytes: Buffer.from(body) }] });

async function eventually(what: () => unknown): Promise<void> {
  for (const end = Date.now() + 20_000; !what(); await sleep(5))
    if (Date.now() > end) throw new Error(`not within 20 s: ${what}`);
}

async function joined(name: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '-e',
      `import { postgresLog } from '${import.meta.dirname}/index.ts';
       const log = await postgresLog({ url: ${JSON.stringify(server.url('opentact'))} });
       await log.registry.join({ name: '${name}', boot: '1', kind: 'test', address: 'a', loadPercent: 0 });
       console.log('joined');`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout!, 'data');
  return child;
}

test('a killed process is seen gone before its silence would tell, a frozen one only by its silence', async () => {
  const log = await postgresLog({ url: server.url('opentact') });
  await log.registry.join(node('judge'));
  const [killed, frozen] = await Promise.all([joined('killed'), joined('frozen')]);
  const of = (name: string) => log.registry.nodes().find((n) => n.name === name)!;
  await eventually(() => of('killed') && of('frozen'));
  await sleep(1100); // The judge believes locks from now on.
  frozen.kill('SIGSTOP');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  await eventually(() => of('killed').gone);
  // By the end of its connection: its silence alone says so only after 1.5 s.
  assert.ok(of('killed').silentMs < 1_500, `${of('killed').silentMs} ms`);
  assert.equal(of('frozen').gone, false);
  await eventually(() => of('frozen').silentMs > 1500);
  frozen.kill('SIGCONT');
  await eventually(() => of('frozen').silentMs < 700);
  frozen.kill('SIGKILL');
  await log.registry.leave('judge');
  await log.close();
});

test('a server that dies and returns: appends are unavailable, nobody is lost, what was acknowledged is there', async () => {
  const [log, other] = await Promise.all([1, 2].map(() => postgresLog({ url: server.url('opentact') })));
  await Promise.all([log!.registry.join(node('a')), other!.registry.join(node('b'))]);
  const losses: string[] = [];
  log!.registry.watch((nodes) => {
    for (const n of nodes) if ((n.gone || n.silentMs > 1500) && /^[ab]$/.test(n.name)) losses.push(n.name);
  });
  const writer = await log!.take('t', 0);
  await writer.append(one('kept'));
  process.kill(server.pid, 'SIGQUIT'); // At once, with recovery at the next start.
  await eventually(() => !server.alive());
  await assert.rejects(writer.append(one('lost')), { code: 'unavailable' });
  await assert.rejects(writer.append(one('lost')), { code: 'unavailable' });
  await sleep(1600);
  assert.equal(log!.registry.healthy(), false);
  server = await embeddedPostgres({ home, databases: ['opentact'] });
  await eventually(() => log!.registry.healthy() && other!.registry.healthy());
  const again = await log!.take('t', 0);
  assert.ok(again.epoch > writer.epoch);
  await again.append(one('after'));
  await sleep(2000);
  const bodies: string[] = [];
  for await (const record of log!.replay('t', 0, 0)) bodies.push(Buffer.from(record.bytes).toString());
  assert.deepEqual(bodies, ['kept', 'after']);
  assert.deepEqual(losses, []);
  await Promise.all([log, other].map((l) => l!.close()));
});

test('a server left by a killed supervisor is adopted, not doubled', async () => {
  const again = await embeddedPostgres({ home, databases: ['opentact', 'opentact_api'] });
  assert.equal(again.adopted, true);
  assert.equal(again.pid, server.pid);
  const log = await postgresLog({ url: again.url('opentact_api') });
  await log.ping();
  await log.close();
});

test('days past keeping go, and the days ahead are there', async () => {
  const client = new pg.Client({ connectionString: server.url('opentact') });
  await client.connect();
  await client.query(`create table log_record_20200101 partition of log_record
    for values from ('2020-01-01') to ('2020-01-02')`);
  await migrate(client, 30);
  const { rows } = await client.query(`select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'log_record'::regclass order by 1`);
  await client.end();
  const day = (ahead: number) =>
    `log_record_${new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '')}`;
  assert.deepEqual(
    rows.map((r) => r.name),
    [0, 1, 2, 3].map(day),
  );
});

test('a home whose path is too long for a socket, or has odd characters, is served all the same', async (t) => {
  const deep = join(home, `a folder, 'odd' & ${'long'.repeat(30)}`);
  const odd = await embeddedPostgres({ home: deep, databases: ['opentact'] });
  t.after(() => odd.stop());
  const log = await postgresLog({ url: odd.url('opentact') });
  await log.ping();
  await log.close();
});

test('processes that open an empty database at once all get the log', async () => {
  const { pid } = await embeddedPostgres({ home, databases: ['fresh'] });
  assert.equal(pid, server.pid);
  const logs: EventLog[] = await Promise.all([1, 2, 3].map(() => postgresLog({ url: server.url('fresh') })));
  await Promise.all(logs.map((log) => log.ping()));
  await Promise.all(logs.map((log) => log.close()));
});

/** How often pages of the log were read while that ran. */
async function pagesRead(run: () => Promise<void>): Promise<number> {
  const { asked } = await queriesOf(run);
  return asked.filter(({ name }) => name === 'page').length;
}

test('a follower reads each growth once, and nothing where the records behind it are gone', async () => {
  const log = await postgresLog({ url: server.url('opentact') });
  const writer = await log.take('followed', 0);
  for (let n = 0; n < 3; n++) await writer.append(one(String(n)));
  const client = new pg.Client({ connectionString: server.url('opentact') });
  await client.connect();
  await client.query(`delete from log_record where topic = 'followed'`);
  await client.end();
  const seen: string[] = [];
  const stop = new AbortController();
  let following: Promise<void> | undefined;
  const idle = await pagesRead(async () => {
    following = (async () => {
      for await (const { bytes } of log.follow('followed', 0, 0, stop.signal)) seen.push(Buffer.from(bytes).toString());
    })();
    await sleep(1_000);
  });
  assert.ok(idle <= 4, `${idle} pages in a second in which nothing came`);
  const busy = await pagesRead(async () => {
    for (let n = 1; n <= 10; n++) {
      await writer.append(one(`new ${n}`));
      await eventually(() => seen.length === n);
    }
  });
  assert.ok(busy <= 12, `${busy} pages for ten records`);
  assert.deepEqual([seen[0], seen.length], ['new 1', 10]);
  stop.abort();
  await following;
  await log.close();
});
