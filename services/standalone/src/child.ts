/** One process under supervision: started again when it ends by itself, at once first and then ever more slowly. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { backoffMs, type Logger, pidFileOf, servingPid } from '@opentact/runtime';
import { openLogFile } from './log-files.ts';
import type { Planned } from './plan.ts';
import { endProcess } from './processes.ts';

const RESTART = { firstMs: 50, maxMs: 5000 };
/** Who lived this long starts again with the shortest wait. */
const SETTLED_MS = 10_000;
/** EX_CONFIG: it will not be better the next time. */
const BAD_CONFIG = 78;

/**
 * V8 lets the young part of a heap grow to three times 32 MiB in each process before it looks for what is garbage. With 8
 * a process under load holds some 70 MiB less, and each of its collections is shorter.
 */
const HEAP = ['--max-semi-space-size=8'];

export type Child = {
  readonly planned: Planned;
  pid(): number | undefined;
  start(): Promise<void>;
  /** Starts it in the place of what serves under its name, which leaves first, in its own order. */
  replace(graceMs: number): Promise<void>;
  /** Ends it for good: SIGTERM, and SIGKILL after the grace. */
  stop(graceMs: number): Promise<void>;
  /** Resolves when a start that is under way has left its pid behind. */
  settled(): Promise<unknown>;
  /** SIGKILL, without waiting. */
  kill(): void;
};

/** @param begun told of the process at once, before it can end */
async function launch(
  { name, script, args, environment, shown }: Planned,
  { home, log }: { home: string; log: Logger },
  begun: (process: ChildProcess) => void,
): Promise<void> {
  const file = await openLogFile(join(home, 'logs'), name);
  // A session of its own: Ctrl-C is for us, who know in which order to leave. Its log is a file, so that it can
  // outlive us without writing into a broken pipe.
  const started = spawn(process.execPath, [...HEAP, script, ...args], {
    detached: true,
    cwd: home,
    env: environment as NodeJS.ProcessEnv,
    stdio: ['ignore', shown ? 'inherit' : file.fd, file.fd],
  });
  started.once('error', (err) => log.error({ child: name, err }, 'not started'));
  begun(started);
  await file.close();
  await writeFile(pidFileOf(home, name), `${started.pid}\n`);
  log.info({ child: name, childPid: started.pid }, 'started');
}

async function end({ name }: Planned, log: Logger, childPid: number | undefined, graceMs: number): Promise<void> {
  if (childPid !== undefined && (await endProcess(childPid, graceMs)))
    log.warn({ child: name, childPid, graceMs }, 'killed: it did not leave in time');
}

/** @param ended told when it ended by itself, with its exit code or signal. */
export function createChild(
  planned: Planned,
  of: { home: string; log: Logger; ended(name: string, how: string, final: boolean): void },
): Child {
  let child: ChildProcess | undefined;
  let wanted = false;
  let isEnded = false;
  let starting: Promise<unknown> = Promise.resolve();
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  function start(): Promise<void> {
    wanted = true;
    const begun = launch(planned, of, (process) => {
      const startedAt = Date.now();
      child = process;
      process.once('exit', (code, signal) => onExit(process, code, signal, Date.now() - startedAt));
    });
    starting = begun;
    return begun;
  }
  function onExit(which: ChildProcess, code: number | null, signal: string | null, livedMs: number): void {
    if (child === which) child = undefined;
    if (!wanted) return;
    const final = code === BAD_CONFIG;
    failures = livedMs > SETTLED_MS ? 1 : failures + 1;
    of.log.warn({ child: planned.name, code, signal, livedMs, failures }, 'ended by itself');
    of.ended(planned.name, signal ?? `exit code ${code}`, final);
    if (final) wanted = false;
    else
      timer = setTimeout(
        () => void start().catch((err) => of.log.error({ child: planned.name, err }, 'not started')),
        failures === 1 ? 0 : backoffMs(failures, RESTART),
      );
  }
  return {
    planned,
    pid: () => child?.pid,
    start,
    settled: () => starting,
    async replace(graceMs) {
      await end(planned, of.log, await servingPid(of.home, planned.name), graceMs);
      if (!isEnded) await start();
    },
    async stop(graceMs) {
      [wanted, isEnded] = [false, true];
      clearTimeout(timer);
      await starting.catch(() => {});
      // Not ours yet, where it was to be replaced and its turn had not come.
      await end(planned, of.log, child?.pid ?? (await servingPid(of.home, planned.name)), graceMs);
      await rm(pidFileOf(of.home, planned.name), { force: true });
    },
    kill() {
      wanted = false;
      child?.kill('SIGKILL');
    },
  };
}
