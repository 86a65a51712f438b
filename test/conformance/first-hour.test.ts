/** What a first start meets when something is not as it should be: it says so in a sentence, and nothing is left behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../kit/ports.ts';
import { noSmallDisk, onSmallDisk } from '../kit/small-disk.ts';

const MAIN = fileURLToPath(new URL('../../services/standalone/src/main.ts', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'opentact-first-hour-'));
after(() => rmSync(base, { recursive: true, force: true }));

const disk = { skip: noSmallDisk };
const plainly = (command: string, args: string[]): [string, string[]] => [command, args];

/** A start in that home, on free ports. */
async function start(home: string, args: string[] = [], within = plainly) {
  const [sip, http, grpc, demo] = await freePorts(4);
  const child: ChildProcess = spawn(...within(process.execPath, [MAIN, '--quiet', ...args]), {
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OPENTACT_'))),
      ...{ OPENTACT_HOME: home, DATABASE_URL: '', OPENTACT_RTP_PORTS: '32000-32199' },
      ...{ OPENTACT_SIP_PORT: `${sip}`, OPENTACT_HTTP_PORT: `${http}` },
      ...{ OPENTACT_GRPC_PORT: `${grpc}`, OPENTACT_DEMO_PORT: `${demo}` },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream!.on('data', (chunk) => (said += chunk));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return { child, ended };
}
const homeOf = (t: TestContext) => join(base, t.name.replace(/\W+/g, '-').slice(0, 60));
/** PostgreSQL keeps its own pid file as long as it runs. */
const hasServer = (home: string) => existsSync(join(home, 'postgres', 'postmaster.pid'));

describe('a start that can’t be', { timeout: 300_000 }, () => {
  it('with a file as home ends at once with a sentence', async () => {
    const file = join(base, 'file');
    writeFileSync(file, '');
    for (const home of [file, join(file, 'home')]) {
      const { code, said } = await (await start(home)).ended;
      assert.equal(said, `not started: ${home} is a file, or lies below one: set OPENTACT_HOME to a folder\n`);
      assert.equal(code, 73);
    }
  });

  it('with a home where nothing can be made ends at once with a sentence', async () => {
    const { code, said } = await (await start('/proc/nowhere/home')).ended;
    assert.equal(said, "not started: /proc/nowhere/home can't be used (ENOENT): set OPENTACT_HOME to another folder\n");
    assert.equal(code, 73);
  });

  it('with an unwritable home ends at once with a sentence', disk, async () => {
    const home = mkdtempSync(join(base, 'unwritable-'));
    const { code, said } = await (await start(home, [], onSmallDisk(home, '1m', 'ro'))).ended;
    assert.equal(said, `not started: ${home} can't be written (EROFS): set OPENTACT_HOME to a folder that is yours\n`);
    assert.equal(code, 73);
  });

  it('with a home on a full disk ends at once with a sentence', disk, async () => {
    const home = mkdtempSync(join(base, 'full-'));
    for (const [size, why] of [
      ['32k', 'ENOSPC'],
      ['4m', '3 MiB are free, 160 are needed'],
    ] as const) {
      const { code, said } = await (await start(home, [], onSmallDisk(home, size))).ended;
      assert.equal(
        said,
        `not started: the disk of ${home} is full (${why}): make room there, or set OPENTACT_HOME to a folder on another disk\n`,
      );
      assert.equal(code, 73);
    }
  });

  it('leaves no PostgreSQL behind', async (t) => {
    const home = homeOf(t);
    // Its broker answers nothing, which is found out when PostgreSQL runs.
    const { code, said } = await (await start(home, ['--kafka', '127.0.0.1:1'])).ended;
    assert.equal(code, 1, said);
    assert.match(said, /^not started: /m);
    assert.ok(existsSync(join(home, 'postgres', 'PG_VERSION')), 'it ran');
    assert.equal(hasServer(home), false);
    assert.deepEqual(
      readdirSync(join(home, 'run')).filter((name) => name.endsWith('.pid')),
      [],
    );
  });

  it('because it is interrupted leaves no PostgreSQL behind', async (t) => {
    const home = homeOf(t);
    const { child, ended } = await start(home);
    while (!existsSync(join(home, 'postgres.new')) && child.exitCode === null)
      await new Promise((r) => setTimeout(r, 5));
    child.kill('SIGTERM');
    const { code, said } = await ended;
    assert.equal(code, 0, said);
    assert.equal(hasServer(home), false);
    assert.deepEqual(
      readdirSync(join(home, 'run')).filter((name) => name.endsWith('.pid')),
      [],
    );
  });
});
