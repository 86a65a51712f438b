/** CPU and memory of the platform's processes, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export type Usage = {
  /** CPU seconds since it started, by process; PostgreSQL's backends under one name. */
  cpu: Record<string, number>;
  /** Resident bytes, by process. */
  memory: Record<string, number>;
};

type Stat = { parent: number; cpu: number; memory: number };

function statOf(pid: number): Stat | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const [parent, user, system, memory] = [1, 11, 12, 21].map((at) => Number(fields[at]));
    return { parent: parent!, cpu: (user! + system!) / TICKS_PER_SECOND, memory: memory! * PAGE_BYTES };
  } catch {
    return undefined; // It ended meanwhile.
  }
}

function childrenOf(pid: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((other) => statOf(other)?.parent === pid);
}

/** CPU seconds that all cores of the machine have been busy since it started. */
export function machineBusy(): number {
  const [user, nice, system, , , interrupts, soft] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user! + nice! + system! + interrupts! + soft!) / TICKS_PER_SECOND;
}

/** @param home of the platform; each of its processes wrote its pid into `run`. */
export function usageOf(home: string): Usage {
  const usage: Usage = { cpu: {}, memory: {} };
  const run = join(home, 'run');
  for (const file of readdirSync(run).filter((name) => name.endsWith('.pid'))) {
    const name = file.slice(0, -4).replace(/-\d+$/, '');
    const pid = Number(readFileSync(join(run, file), 'utf8').trim().split(/\s/)[0]);
    for (const one of name === 'postgres' ? [pid, ...childrenOf(pid)] : [pid]) {
      const stat = statOf(one);
      if (!stat) continue;
      usage.cpu[name] = (usage.cpu[name] ?? 0) + stat.cpu;
      usage.memory[name] = (usage.memory[name] ?? 0) + stat.memory;
    }
  }
  return usage;
}

/** What was used between two readings: CPU seconds by process, the busiest first. */
export function cpuBetween(before: Usage, after: Usage): Array<[name: string, seconds: number]> {
  return Object.entries(after.cpu)
    .map(([name, cpu]): [string, number] => [name, cpu - (before.cpu[name] ?? 0)])
    .sort((a, b) => b[1] - a[1]);
}
