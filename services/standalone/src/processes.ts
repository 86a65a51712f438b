/** What becomes of processes of a home: one is asked to hand over, ended, or claimed. It goes by pid files, never by name. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, pidFileOf, readPid, servingPid } from '@opentact/runtime';

/**
 * Asks the supervisor of the home to leave its processes to another, and waits until it is gone.
 * @returns false where it is still there after `ms`.
 */
export async function takeFrom(pid: number, ms: number): Promise<boolean> {
  process.kill(pid, 'SIGUSR2');
  for (const until = Date.now() + ms; isAlive(pid) && Date.now() < until; ) await sleep(20);
  return !isAlive(pid);
}

/** Sends SIGTERM, and SIGKILL where that is not enough. @returns whether it had to be killed. */
export async function endProcess(pid: number, graceMs: number): Promise<boolean> {
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(pid, signal);
    } catch {} // It ended meanwhile.
  };
  send('SIGTERM');
  for (const until = Date.now() + graceMs; isAlive(pid) && Date.now() < until; ) await sleep(20);
  if (!isAlive(pid)) return false;
  send('SIGKILL');
  for (const until = Date.now() + 2000; isAlive(pid) && Date.now() < until; ) await sleep(20);
  return true;
}

/**
 * The processes of a home by their pid files, but for its supervisor and PostgreSQL, whichever version started them. `pid`
 * undefined: only the file is left.
 */
export async function processesAt(home: string): Promise<Array<{ name: string; pid: number | undefined }>> {
  const files = await readdir(join(home, 'run')).catch(() => []);
  const names = files.filter((file) => file.endsWith('.pid')).map((file) => file.slice(0, -'.pid'.length));
  const others = names.filter((name) => name !== 'postgres' && name !== 'standalone');
  return Promise.all(others.map(async (name) => ({ name, pid: await servingPid(home, name) })));
}

/** Ends what a killed supervisor left running. PostgreSQL is not among it: that is adopted. @returns their names. */
export async function endLeftovers(home: string, graceMs: number): Promise<string[]> {
  const left = await processesAt(home);
  await Promise.all(
    left.map(async ({ name, pid }) => {
      if (pid !== undefined) await endProcess(pid, graceMs);
      await rm(pidFileOf(home, name), { force: true });
    }),
  );
  return left.filter(({ pid }) => pid !== undefined).map(({ name }) => name);
}

/**
 * Makes this process the supervisor of the home.
 * @returns the pid of the one that already is; undefined where it is now this one.
 */
export async function claimHome(home: string, script: string): Promise<number | undefined> {
  const file = pidFileOf(home, 'standalone');
  await mkdir(dirname(file), { recursive: true, mode: 0o711 });
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 3) throw error;
    }
    const pid = await readPid(file);
    const args = pid ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : '';
    if (pid && pid !== process.pid && isAlive(pid) && args.includes(script)) return pid;
    await rm(file, { force: true }); // Its supervisor was killed.
  }
}
