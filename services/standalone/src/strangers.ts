/** Processes that serve a home and are none of its plan: those of another shape, which leave once this one serves. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, servingPid } from '@opentact/runtime';
import { leavesOf, type Planned } from './plan.ts';
import { endProcess } from './processes.ts';

export type Stranger = { name: string; pid: number };

/** By their pid files; first who leaves first. */
export async function strangersOf(home: string, plan: readonly Planned[]): Promise<Stranger[]> {
  const known = new Set(['standalone', 'postgres', ...plan.map(({ name }) => name)]);
  const files = await readdir(join(home, 'run')).catch(() => []);
  const names = files.filter((file) => file.endsWith('.pid')).map((file) => file.slice(0, -'.pid'.length));
  const found: Stranger[] = [];
  for (const name of names.filter((one) => !known.has(one))) {
    const pid = await servingPid(home, name);
    if (pid !== undefined) found.push({ name, pid });
  }
  return found.sort((a, b) => leavesOf(a.name) - leavesOf(b.name));
}

/** It leaves in its own order, or is killed after the grace; its files go. */
export async function endStranger(
  { name, pid }: Stranger,
  of: { home: string; log: Logger },
  graceMs: number,
): Promise<void> {
  const isKilled = await endProcess(pid, graceMs);
  await Promise.all(['pid', 'health'].map((end) => rm(join(of.home, 'run', `${name}.${end}`), { force: true })));
  of.log.info({ child: name, childPid: pid, isKilled }, 'left: it is of another shape');
}
