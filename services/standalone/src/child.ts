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
    const begun = begin();
    starting = begun;
    return begun;
  }
  async function begin(): Promise<void> {
    wanted = true;
    const file = await openLogFile(join(of.home, 'logs'), planned.name);
    const startedAt = Date.now();
    // A session of its own: Ctrl-C is for us, who know in which order to leave. Its log is a file, so that it can
    // outlive us without writing into a broken pipe.
    const started = spawn(process.execPath, [...HEAP, planned.script, ...planned.args], {
      detached: true,
      cwd: of.home,
      env: planned.environment as NodeJS.ProcessEnv,
      stdio: ['ignore', planned.shown ? 'inherit' : file.fd, file.fd],
    });
    await file.close();
    child = started;
    started.once('error', (err) => of.log.error({ child: planned.name, err }, 'not started'));
    started.once('exit', (code, signal) => onExit(started, code, signal, Date.now() - startedAt));
    await writeFile(pidFileOf(of.home, planned.name), `${started.pid}\n`);
    of.log.info({ child: planned.name, childPid: started.pid }, 'started');
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
      const pid = await servingPid(of.home, planned.name);
      if (pid !== undefined && (await endProcess(pid, graceMs)))
        of.log.warn({ child: planned.name, childPid: pid, graceMs }, 'killed: it did not leave in time');
      if (!isEnded) await start();
    },
    async stop(graceMs) {
      [wanted, isEnded] = [false, true];
      clearTimeout(timer);
      await starting.catch(() => {});
      // Not ours yet, where it was to be replaced and its turn had not come.
      const pid = child?.pid ?? (await servingPid(of.home, planned.name));
      if (pid !== undefined && (await endProcess(pid, graceMs)))
        of.log.warn({ child: planned.name, childPid: pid, graceMs }, 'killed: it did not leave in time');
      await rm(pidFileOf(of.home, planned.name), { force: true });
    },
    kill() {
      wanted = false;
      child?.kill('SIGKILL');
    },
  };
}
