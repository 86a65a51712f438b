/** What is known of the processes of a home by their pid files: who runs, and whether it is one of ours. It never guesses by name. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const pidFileOf = (home: string, name: string): string => join(home, 'run', `${name}.pid`);

/** The process of a home that runs a node: `cell-1` runs `cell-1.media`, `media-1` itself. */
export const processOf = (node: string): string => node.split('.', 1)[0]!;

/** Does it run? One that ended and was not yet collected by its parent doesn't. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

export async function readPid(file: string): Promise<number | undefined> {
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).trim());
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

/** Is this living process one that runs a script of any clone for this home? A number in a file may be anyone's by now. */
async function isOurs(pid: number, home: string): Promise<boolean> {
  const read = (what: string) => readFile(`/proc/${pid}/${what}`, 'utf8').catch(() => '');
  const [args, environment] = await Promise.all([read('cmdline'), read('environ')]);
  const script = args.split('\0').some((arg) => arg.startsWith('/') && arg.endsWith('.ts'));
  return script && environment.split('\0').includes(`OPENTACT_HOME=${home}`);
}

/** The living process of that name that serves the home, whichever version started it. */
export async function servingPid(home: string, name: string): Promise<number | undefined> {
  const pid = await readPid(pidFileOf(home, name));
  return pid !== undefined && isAlive(pid) && (await isOurs(pid, home)) ? pid : undefined;
}
