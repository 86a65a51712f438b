/** Processes that serve a home and are none of its plan: those of another shape, which leave once this one serves. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@opentact/runtime';
import { leavesOf, type Planned } from './plan.ts';
import { endProcess, processesAt } from './processes.ts';

export type Stranger = { name: string; pid: number };

/** By their pid files; first who leaves first. */
export async function strangersOf(home: string, plan: readonly Planned[]): Promise<Stranger[]> {
  const known = new Set(plan.map(({ name }) => name));
  const found = await processesAt(home);
  const strangers = found.flatMap(({ name, pid }) => (pid !== undefined && !known.has(name) ? [{ name, pid }] : []));
  return strangers.sort((a, b) => leavesOf(a.name) - leavesOf(b.name));
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
