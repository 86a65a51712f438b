/**
 * What a call may cost: transactions and CPU of a job and of a signalling call, against budgets that are kept beside this
 * file. Transactions are counted beyond those of an idle platform; CPU is scaled by a loop that runs beside it, so that
 * another machine, or a slower hour of this one, is no reason to fail.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadCpuMs } from '@opentact/runtime/testing';
import { CASES } from './cases.ts';
import type { Installation } from './installation.ts';
import { measure } from './measure.ts';
import { cpuMs } from './report.ts';

type Budget = { transactions: number; cpuMs: number };
type Budgets = { calibrationMs: number; cases: Record<string, Budget> };

const BUDGETS = JSON.parse(readFileSync(new URL('./budgets.json', import.meta.url), 'utf8')) as Budgets;
const RATE = 20;
const IDLE_MS = 5_000;
const LOOP = 60_000_000;

/** What a case's call cost, in words, and whether its budget allows it. */
export type Spent = { name: string; isWithin: boolean; line: string };

/** CPU ms of a fixed amount of work of this thread: long, since the system counts a thread's time coarsely. */
function calibrate(): number {
  const before = threadCpuMs();
  let hash = 0;
  for (let i = 0; i < LOOP; i++) hash = (Math.imul(hash ^ i, 0x5bd1e995) + (hash >>> 13)) | 0;
  // What nobody reads may not be computed.
  if (hash === 0) throw new Error('a hash of nothing');
  return threadCpuMs() - before;
}

/** Transactions a second of the platform when nobody calls. */
async function idleRate({ journal }: Installation): Promise<number> {
  const heads = await journal.heads();
  const startedAt = performance.now();
  await sleep(IDLE_MS);
  const { transactions } = await journal.since(heads);
  return (transactions * 1000) / (performance.now() - startedAt);
}

/**
 * Runs each case of the budgets once.
 * @param seconds of each run. @param judgesCpu false: only what is exact, the transactions, is judged
 */
export async function gate(installation: Installation, seconds: number, judgesCpu: boolean): Promise<Spent[]> {
  const idle = await idleRate(installation);
  const found: Spent[] = [];
  for (const [name, budget] of Object.entries(BUDGETS.cases)) {
    const one = CASES.find((c) => c.name === name)!;
    const startedAt = performance.now();
    const measured = await measure(installation, one, RATE, seconds);
    const tookS = (performance.now() - startedAt) / 1000;
    const { calls } = measured.count;
    const transactions = calls === 0 ? Number.POSITIVE_INFINITY : (measured.count.transactions - idle * tookS) / calls;
    const scaledMs = (cpuMs(measured) * BUDGETS.calibrationMs) / calibrate();
    const isWithin = transactions <= budget.transactions && (!judgesCpu || scaledMs <= budget.cpuMs);
    const cpu = `${scaledMs.toFixed(1)} ms of CPU${judgesCpu ? ` (at most ${budget.cpuMs})` : ', not judged'}`;
    const line = `${transactions.toFixed(1)} transactions a call (at most ${budget.transactions}), ${cpu}; ${calls} calls`;
    found.push({ name, isWithin, line });
  }
  return found;
}
