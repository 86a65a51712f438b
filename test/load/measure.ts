/** One bounded run against an installation: the caller's outcome, the journal's count and what the processes used. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { machine } from '../kit/load-average.ts';
import type { Case } from './cases.ts';
import type { Installation } from './installation.ts';
import type { Count } from './journal.ts';
import type { Order, Outcome } from './order.ts';
import { cpuBetween, machineBusy, usageOf } from './processes.ts';

const CALLER = fileURLToPath(new URL('./caller-process.ts', import.meta.url));
/** After the last call the platform finishes what it owes: releases, snapshots. */
const SETTLE_MS = 1_500;
const QUIET_CORES = 0.4;

export type Measured = {
  case: Case['name'];
  rate: number;
  outcome: Outcome;
  count: Count;
  /** CPU ms per call begun, by process. */
  cpu: Record<string, number>;
  /** Cores busy with the platform while calls were made. */
  cores: number;
  /** Resident bytes that each process grew by. */
  grown: Record<string, number>;
  /** Cores that neither the platform nor its caller used: other work on this machine. */
  others: number;
  machine: string;
};

async function call(order: Order): Promise<Outcome> {
  const child = fork(CALLER, { stdio: 'inherit' });
  const answer = once(child, 'message') as Promise<[Outcome]>;
  const died = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the caller ended with ${code}`)));
  died.catch(() => {}); // It ends after its answer, too.
  child.send(order);
  const [outcome] = await Promise.race([answer, died]);
  child.disconnect();
  return outcome;
}

/** Waits, at most so long, until the machine does little else: figures of a busy one say nothing about the platform. */
export async function untilQuiet(seconds: number): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
    const before = machineBusy();
    await sleep(1_000);
    if (machineBusy() - before < QUIET_CORES) return;
  }
}

export async function measure(installation: Installation, one: Case, rate: number, seconds: number, holdMs = 0) {
  const { platform, journal } = installation;
  const heads = await journal.heads();
  const before = usageOf(platform.home);
  const calls = Math.max(1, Math.round(rate * seconds));
  const load = machine();
  const busy = machineBusy();
  const outcome = await call({
    behaviour: one.behaviour,
    sipPort: platform.sipPort,
    user: one.number,
    rate,
    calls,
    holdMs,
    secondsMax: seconds + holdMs / 1000 + 20,
  });
  const after = usageOf(platform.home);
  const machineCores = (machineBusy() - busy) / outcome.seconds;
  await sleep(SETTLE_MS);
  const used = cpuBetween(before, after);
  const cores = used.reduce((sum, [, cpu]) => sum + cpu, 0) / outcome.seconds;
  const measured: Measured = {
    case: one.name,
    rate,
    outcome,
    count: await journal.since(heads),
    cpu: Object.fromEntries(used.map(([name, cpu]) => [name, (cpu * 1000) / outcome.started])),
    cores,
    others: Math.max(0, machineCores - cores - outcome.callerCpu),
    grown: Object.fromEntries(
      Object.entries(after.memory).map(([name, now]) => [name, now - (before.memory[name] ?? 0)]),
    ),
    machine: load,
  };
  return measured;
}
