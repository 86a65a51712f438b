/** Runs as lines of a table, and the medians of several. */
import type { Measured } from './measure.ts';
import type { Spread } from './order.ts';

const pair = ({ p50, p99, count }: Spread) => (count === 0 ? '–' : `${p50.toFixed(0)} / ${p99.toFixed(0)}`);

const COLUMNS: Array<[title: string, value: (m: Measured) => string]> = [
  ['case', (m) => m.case],
  ['calls/s', (m) => String(m.rate)],
  ['calls', (m) => String(m.outcome.started)],
  ['failed', (m) => String(m.outcome.failed)],
  ['503', (m) => String(m.outcome.refused)],
  ['INVITE again', (m) => String(m.outcome.inviteRepeats)],
  ['200 ms', (m) => pair(m.outcome.answered)],
  ['first RTP', (m) => pair(m.outcome.firstRtp)],
  ['first sound', (m) => pair(m.outcome.firstSound)],
  ['key to sound', (m) => pair(m.outcome.digitToSound)],
  ['RTP lost, late', (m) => `${m.outcome.rtp.lost}, ${share(m.outcome.rtp.late, m.outcome.rtp.received)}`],
  ['events', (m) => perCall(m, m.count.events)],
  ['appends', (m) => `${perCall(m, m.count.appendsAlone)} (${perCall(m, m.count.appends)})`],
  ['transactions', (m) => perCall(m, m.count.transactions)],
  ['CPU ms', (m) => cpuMs(m).toFixed(1)],
  ['cores', (m) => m.cores.toFixed(2)],
  ['caller', (m) => `${m.outcome.callerCpu.toFixed(2)}, ${m.outcome.callerLate.p99.toFixed(0)} ms`],
  ['machine', (m) => `${m.machine.replace(/ cores \(.*\)/, ' cores')}, others ${m.others.toFixed(2)}`],
];

/** Of all processes of the platform, a call begun. */
export const cpuMs = ({ cpu }: Measured): number => Object.values(cpu).reduce((sum, ms) => sum + ms, 0);

const share = (part: number, all: number) => (all === 0 ? '–' : `${((100 * part) / all).toFixed(2)} %`);
const perCall = (m: Measured, count: number) => (m.count.calls === 0 ? '–' : (count / m.count.calls).toFixed(1));

export const heading = () =>
  `| ${COLUMNS.map(([title]) => title).join(' | ')} |\n|${COLUMNS.map(() => '---').join('|')}|`;
export const row = (m: Measured) => `| ${COLUMNS.map(([, value]) => value(m)).join(' | ')} |`;

/** The run in the middle by its time to the 200, which is a real run and no mixture of several. */
export function median(runs: Measured[]): Measured {
  const sorted = runs.toSorted((a, b) => a.outcome.answered.p99 - b.outcome.answered.p99);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}

/** CPU by process, ms a call, and what else doesn't fit a row. */
export function details(m: Measured): string {
  const cpu = Object.entries(m.cpu).map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
  const why = Object.entries(m.outcome.why).map(([name, count]) => `${name}: ${count}`);
  return `  CPU ms a call: ${cpu.join(', ')}${why.length > 0 ? `\n  failed: ${why.join(', ')}` : ''}`;
}

/** What peers.md counts as carried: 0.1 % failed, 0.1 % INVITEs again, p99 to the 200 below 500 ms, nobody refused. */
export function carried({ outcome }: Measured): boolean {
  const { started, failed, refused, inviteRepeats, answered } = outcome;
  return failed + refused <= started / 1000 && inviteRepeats <= started / 1000 && answered.p99 < 500;
}

/** What the processes grew by, kB a call; a process that frees nothing yet counts what it will free. */
export const memory = (m: Measured) =>
  Object.entries(m.grown)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${(bytes / 1024 / m.outcome.started).toFixed(0)}`)
    .join(', ');
