/** Which core runs what, by util-linux's taskset: what a process starts stays on its core. */
import { execFileSync } from 'node:child_process';

/** A command as it is run on that core alone. */
export const onCore =
  (core: number) =>
  (command: string, args: string[]): [string, string[]] => ['taskset', ['-c', String(core), command, ...args]];

/** Moves this process, with all its threads, to a core. @throws Error where the machine has no such core or no taskset */
export function pinSelf(core: number): void {
  execFileSync('taskset', ['-acp', String(core), String(process.pid)], { stdio: 'ignore' });
}
