/** The supervisor as a person meets it: started, started twice, killed, interrupted. Loopback and a folder of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedPostgres } from '@opentact/event-log';
import type { CallEvent } from '@opentact/proto';
import { isAlive, keepStartedWith } from '@opentact/runtime';
import { rotate } from './log-files.ts';
import { portFaults } from './ports.ts';
import { lineOf } from './story.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
let base: string;
let home: string;
let environment: NodeJS.ProcessEnv;
const started: ChildProcess[] = [];

/** Free ports below those that the system gives away by itself, so that nobody takes one between two starts. */
async function freePorts(count: number): Promise<number[]> {
  const first = 20_000 + 10 * Math.floor(Math.random() * 1000);
  const wanted = Array.from({ length: count }, (_, i) => ({ variable: '', host: '127.0.0.1', port: first + i }));
  const faults = await portFaults(
    wanted.flatMap((w) => (['tcp', 'udp'] as const).map((transport) => ({ ...w, transport }))),
  );
  return faults.length > 0 ? freePorts(count) : wanted.map(({ port }) => port);
}

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'opentact-standalone-'));
  home = join(base, 'deep in the folders of a person, '.repeat(4), 'home'); // too long for a socket's path, with commas
  const [sip, http, grpc, demo] = await freePorts(4);
  environment = {
    // Without what the tests themselves are told.
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OPENTACT_'))),
    OPENTACT_HOME: home,
    OPENTACT_SIP_PORT: String(sip),
    OPENTACT_HTTP_PORT: String(http),
    OPENTACT_GRPC_PORT: String(grpc),
    OPENTACT_DEMO_PORT: String(demo),
    OPENTACT_RTP_PORTS: '31000-31199',
    DATABASE_URL: '',
  };
});
after(async () => {
  for (const child of started) child.kill('SIGKILL');
  for (const file of await readdir(join(home, 'run'))) {
    if (!file.endsWith('.pid')) continue;
    const pid = await pidOf(file.slice(0, -4));
    if (pid && isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
  await sleep(200);
  await rm(base, { recursive: true, force: true });
});

function start(args: string[] = ['--quiet'], over: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...environment, ...over },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return watched(child);
}
function watched(child: ChildProcess) {
  started.push(child);
  const run = { child, said: '', code: once(child, 'exit').then(([code]) => code as number | null) };
  for (const stream of [child.stdout, child.stderr])
    stream!.on('data', (chunk) => {
      run.said += chunk;
    });
  return run;
}
async function eventually<T>(what: () => Promise<T | undefined | false>, ms: number, why: () => string): Promise<T> {
  for (const until = Date.now() + ms; ; await sleep(50)) {
    const found = await what();
    if (found) return found;
    if (Date.now() > until) throw new Error(`not within ${ms} ms; it said:\n${why()}`);
  }
}
const pidOf = async (name: string) => Number(await readFile(join(home, 'run', `${name}.pid`), 'utf8').catch(() => '0'));
const up = (run: ReturnType<typeof start>) =>
  eventually(
    async () => run.said.includes('is up'),
    40_000,
    () => run.said,
  );
const isReady = async () =>
  (await fetch(`http://127.0.0.1:${environment.OPENTACT_HTTP_PORT}/ready`).catch(() => undefined))?.status === 200;

test('help lists every variable, and an unknown word is refused', async () => {
  const help = start(['--help']);
  assert.equal(await help.code, 0);
  for (const name of ['OPENTACT_HOME', 'OPENTACT_RTP_PORTS', 'DATABASE_URL', 'OPENTACT_TRUNK', 'OPENTACT_ASR_URL'])
    assert.match(help.said, new RegExp(`\\b${name}\\b`));
  const wrong = start(['--verbose']);
  assert.equal(await wrong.code, 64);
});

test('a mistyped variable is named with the nearest one, on the screen and in the log', async (t) => {
  const holder = createServer().listen(Number(environment.OPENTACT_GRPC_PORT), '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => holder.close());
  const run = start([], { OPENTACT_FETCH_ALOW: '10.0.0.0/8' });
  assert.equal(await run.code, 1); // a port is taken
  const warning = /OPENTACT_FETCH_ALOW is no variable.*did you mean OPENTACT_FETCH_ALLOW\?/;
  assert.match(run.said, new RegExp(`^warning: ${warning.source}$`, 'm'));
  assert.match(await readFile(join(home, 'logs', 'standalone.log'), 'utf8'), warning);
});

test('an upgrade stays as the home was started: a difference is refused, unless it is meant', async (t) => {
  const old = await mkdtemp(join(tmpdir(), 'opentact-old-'));
  t.after(() => rm(old, { recursive: true }));
  const { OPENTACT_GRPC_PORT, OPENTACT_SIP_PORT, ...others } = environment;
  const taken = createServer().listen(Number(OPENTACT_GRPC_PORT), '127.0.0.1'); // so that nothing is started
  await once(taken, 'listening');
  t.after(() => taken.close());
  await keepStartedWith(old, { ...environment, OPENTACT_TRUNK: 'sip:me:hidden@carrier.example' });
  const upgrade = (args: string[], over: NodeJS.ProcessEnv) => {
    const child = spawn(process.execPath, [MAIN, '--replace', ...args], {
      env: { ...others, OPENTACT_HOME: old, ...over },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return watched(child);
  };
  const trunk = { OPENTACT_TRUNK: 'sip:me:hidden@carrier.example' };
  const same = upgrade([], trunk);
  assert.equal(await same.code, 1);
  assert.match(same.said, new RegExp(`^as this home was started: .*OPENTACT_SIP_PORT=${OPENTACT_SIP_PORT}\\b`, 'm'));
  assert.match(same.said, new RegExp(`OPENTACT_GRPC_PORT: port ${OPENTACT_GRPC_PORT} \\(tcp\\)`));
  const elsewhere = { OPENTACT_SIP_PORT: '5999' };
  const other = upgrade([], elsewhere);
  assert.equal(await other.code, 78);
  assert.match(other.said, new RegExp(`^OPENTACT_SIP_PORT is 5999 here, .* started with ${OPENTACT_SIP_PORT}$`, 'm'));
  assert.match(other.said, /^OPENTACT_TRUNK is not set here[\s\S]*add --change$/m);
  assert.doesNotMatch(other.said, /hidden/);
  const meant = upgrade(['--change'], elsewhere);
  assert.equal(await meant.code, 1);
  assert.match(meant.said, /OPENTACT_SIP_PORT is 5999 here/);
  assert.match(meant.said, /OPENTACT_GRPC_PORT: port/);
});

test('a bad environment and a taken port are named before anything is started', async (t) => {
  const bad = start([], { OPENTACT_SIP_PORT: 'x', OPENTACT_RTP_PORTS: '1' });
  assert.equal(await bad.code, 78);
  assert.match(bad.said, /OPENTACT_SIP_PORT[\s\S]*OPENTACT_RTP_PORTS/);
  const holder = createServer().listen(Number(environment.OPENTACT_GRPC_PORT), '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => holder.close());
  const taken = start();
  assert.equal(await taken.code, 1);
  assert.match(taken.said, /OPENTACT_GRPC_PORT: port \d+ \(tcp\) of 127\.0\.0\.1 is taken/);
});

test('it starts, is one, heals, outlives its own death, and leaves without a trace', async () => {
  const first = start();
  await up(first);
  assert.match(first.said, /password/);
  assert.match(first.said, /npm run call/);
  assert.equal((await stat(join(home, 'demo.json'))).mode & 0o777, 0o600);

  const second = start();
  assert.equal(await second.code, 1);
  assert.equal(second.said.trim(), `already running, pid ${first.child.pid}`);

  const toldBefore = first.said.length;
  for (const name of ['cell-1', 'cell-2', 'postgres']) {
    const before = await pidOf(name);
    process.kill(before, 'SIGKILL');
    await eventually(
      async () => (await pidOf(name)) !== before,
      30_000,
      () => first.said,
    );
  }
  await eventually(isReady, 15_000, () => first.said);
  const log = (await readFile(join(home, 'logs', 'standalone.log'), 'utf8')).trim().split('\n');
  const deaths = log
    .map((line) => JSON.parse(line))
    .flatMap(({ msg, child }) =>
      msg === 'ended by itself' ? [`${child} ended`] : msg === 'PostgreSQL died' ? ['PostgreSQL died'] : [],
    );
  const told = first.said.slice(toldBefore).trim().split('\n');
  assert.deepEqual(
    told.map((line) => /^\S+ (ended|died)/.exec(line)?.[0]),
    deaths,
    'one death is one line',
  );
  assert.ok(deaths.length >= 3);
  assert.equal(told[0], `cell-1 ended (SIGKILL) and is started again; see ${join(home, 'logs', 'cell-1.log')}`);

  const postgres = await pidOf('postgres');
  const cell = await pidOf('cell-2');
  first.child.kill('SIGKILL');
  await first.code;
  assert.equal(isAlive(cell), true);
  const third = start();
  await up(third);
  assert.match(third.said, /ended what an earlier start left running: .*cell-2/);
  assert.equal(isAlive(cell), false);
  assert.equal(await pidOf('postgres'), postgres);
  assert.doesNotMatch(third.said, /password/);

  const pids = await Promise.all(
    (await readdir(join(home, 'run'))).filter((f) => f.endsWith('.pid')).map((f) => pidOf(f.slice(0, -4))),
  );
  third.child.kill('SIGINT');
  third.child.kill('SIGINT');
  assert.equal(await third.code, 0);
  assert.ok(pids.length >= 6);
  for (const pid of pids.filter((p) => p !== third.child.pid)) assert.equal(isAlive(pid), false, `${pid}`);
  assert.deepEqual(
    (await readdir(join(home, 'run'))).filter((file) => file.endsWith('.pid')),
    [],
  );
});

test('on a server of one’s own, api’s database is made beside the journal’s, and nothing is embedded', async (t) => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'opentact-own-'));
  const server = await embeddedPostgres({ home: elsewhere, databases: ['journal'] });
  t.after(async () => {
    await server.stop();
    await rm(elsewhere, { recursive: true });
  });
  const run = start(['--quiet'], { DATABASE_URL: server.url('journal') });
  await up(run);
  assert.equal(await pidOf('postgres'), 0);
  run.child.kill('SIGTERM');
  assert.equal(await run.code, 0);
  assert.equal(server.alive(), true);
  const away = start(['--quiet'], { DATABASE_URL: 'postgres://127.0.0.1:1/x' });
  assert.equal(await away.code, 1);
  assert.match(away.said, /DATABASE_URL does not answer/);
});

test('a full log is copied away and emptied, and the oldest of four goes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'opentact-rotate-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'x.log');
  for (let n = 1; n <= 5; n++) {
    await writeFile(file, `${n}`.repeat(100), { flag: 'a' });
    assert.equal(await rotate(file, 50), true);
  }
  await appendFile(file, 'new');
  assert.equal(await rotate(file, 50), false);
  const heads = await Promise.all(['', '.1', '.2', '.3'].map(async (n) => (await readFile(file + n, 'utf8'))[0]));
  assert.deepEqual(heads, ['n', '5', '4', '3']);
  assert.equal((await readdir(folder)).length, 4);
});

test('an event is one line, without what is long or secret', () => {
  const event: CallEvent = {
    type: 'PlayRequested',
    callId: '1a2b3c4d-0000-8000-8000-000000000000',
    seq: 7,
    at: Date.UTC(2026, 0, 1, 12, 30, 1, 250),
    leg: 0,
    loop: 1,
    items: [{ kind: 'say', value: { text: 'Hi', voice: '', gender: 'FEMALE', lang: 'en-US' } }],
    to: { node: 'media', boot: 'b' },
  };
  assert.equal(lineOf(event), '12:30:01.250  1a2b3c4d   7  PlayRequested          leg=0 loop=1 items="[say Hi]"');
});
