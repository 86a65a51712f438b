/**
 * `npm run load`: calls at rising rates against a platform of its own on this machine, and what each call cost.
 * Loopback only, bounded by count and time; it leaves nothing behind.
 */

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { kafkaLog, postgresLog } from '@opentact/event-log';
import { startCluster } from '../kit/broker.ts';
import { machine } from '../kit/load-average.ts';
import { CASES } from './cases.ts';
import { gate } from './gate.ts';
import { history } from './history.ts';
import { install } from './installation.ts';
import { measureLog } from './log.ts';
import { type Measured, measure, untilQuiet } from './measure.ts';
import { onCore, pinSelf } from './pin.ts';
import { carried, details, heading, median, memory, row } from './report.ts';

const HELP = `npm run load -- [options]
      --case NAME     sig, xmlsig, job, hold, overload or log (the log alone); repeat for more; default: all of them
      --log NAME      postgres or kafka (a broker of its own, from Maven's jars); default: postgres
      --rates A,B,…   calls a second, instead of the case's own rising ones
      --seconds N     length of a run; default 5
      --runs N        runs at each rate, of which the one in the middle is shown; default 1
      --calls N       calls held at once in case hold; default 100
      --quiet N       wait up to N seconds before each run until the machine does little else; default 0
      --pin           the platform on core 0, caller and customer's server on core 1: what one core carries
      --shape NAME    cells or services; default: cells
      --cells N       how many cells; default 2
      --json          a line of JSON per run as well
      --history N     instead of calls at rates: N past calls in the logs of a platform of its own, and how long each question
                      about past and new calls takes, each search and its deepest page, a restart and a takeover
      --journal N     how many of those have their records in the journal, too; default: all of them
      --times N       how often each question of --history is asked; default 100
      --search TEXT   of the searches of --history only those that have this in their name; no restart, no takeover
      --home DIR      a folder for --history: filled where it is new, kept, and asked again the next time
      --gate          transactions and CPU ms of a call against the budgets of test/load/budgets.json; ends 1 where one costs more
      --smoke         every case for seconds, without figures: does each of its calls do what it is there for? Ends 1 where
                      one doesn't; what npm test runs
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean' },
    case: { type: 'string', multiple: true },
    log: { type: 'string', default: 'postgres' },
    rates: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    runs: { type: 'string', default: '1' },
    calls: { type: 'string', default: '100' },
    quiet: { type: 'string', default: '0' },
    json: { type: 'boolean' },
    pin: { type: 'boolean' },
    shape: { type: 'string', default: 'cells' },
    cells: { type: 'string', default: '2' },
    smoke: { type: 'boolean' },
    gate: { type: 'boolean' },
    history: { type: 'string' },
    journal: { type: 'string' },
    times: { type: 'string', default: '100' },
    search: { type: 'string' },
    home: { type: 'string' },
  },
});
const NAMES = [...CASES.map((c) => c.name), 'overload', 'log'];
const SECONDS_MAX = 120;
const RATE_MAX = 2_000;
const PAUSE_MS = 1_500;
const SMOKE_RATE = 4;
const SMOKE_SECONDS = 3;
const GATE_SECONDS = { whole: 15, smoke: 5 };
const SMOKE_HISTORY = { calls: 500, journaled: 200, times: 3, moves: 1 };
/** Restarts and takeovers with a history. */
const MOVES = 3;

const say = (text: string) => void process.stdout.write(`${text}\n`);
const wanted = values.case ?? NAMES;
const seconds = Math.min(SECONDS_MAX, Number(values.seconds));
const runs = Number(values.runs);
const rates = values.rates?.split(',').map(Number);
const bad = wanted.find((name) => !NAMES.includes(name));
if (values.help || bad || !(seconds > 0 && runs > 0) || rates?.some((rate) => !(rate > 0 && rate <= RATE_MAX))) {
  process.stdout.write(`${bad ? `${bad}: no such case\n` : ''}${HELP}`);
  process.exit(values.help ? 0 : 2);
}

if (values.history) {
  const calls = Number(values.history);
  const journaled = Math.min(calls, Number(values.journal ?? calls));
  if (!(calls > 0 && journaled > 0)) throw new Error('--history and --journal take a number of calls');
  const log = values.log === 'kafka' ? 'kafka' : 'postgres';
  const { home, search } = values;
  const found = await history({
    ...{ log, calls, journaled, home, search, say },
    times: Number(values.times),
    moves: MOVES,
  });
  process.exit(found.some(({ failed }) => failed > 0) ? 1 : 0);
}

const broker = values.log === 'kafka' ? await startCluster(1) : undefined;
if (broker) say(broker.how);
if (values.pin) pinSelf(1);
const installation = await install(
  {
    ...(broker ? { OPENTACT_LOG: 'kafka', KAFKA_BROKERS: broker.brokers } : { OPENTACT_LOG: 'postgres' }),
    OPENTACT_SHAPE: values.shape,
    OPENTACT_CELLS: values.cells,
  },
  values.pin ? onCore(0) : undefined,
);
const close = async () => {
  await installation.close();
  await broker?.stop();
};
process.once('SIGINT', () => void close().then(() => process.exit(130)));

async function several(name: string, rate: number, length = seconds, holdMs = 0): Promise<Measured> {
  const one = CASES.find((c) => c.name === name)!;
  const all: Measured[] = [];
  for (let run = 0; run < runs; run++) {
    await untilQuiet(Number(values.quiet));
    const measured = await measure(installation, one, rate, length, holdMs);
    if (values.json) say(JSON.stringify(measured));
    all.push(measured);
    await sleep(PAUSE_MS);
  }
  const found = median(all);
  say(row(found));
  return found;
}

/** Rising rates until one is not carried. @returns the last that was */
async function ladder(name: string): Promise<number> {
  const one = CASES.find((c) => c.name === name)!;
  say(`\n${name}: ${one.meaning}\n\n${heading()}`);
  const found: Measured[] = [];
  for (const rate of rates ?? one.rates) {
    found.push(await several(name, rate));
    if (!carried(found.at(-1)!)) break;
  }
  say('');
  for (const measured of found) say(`${measured.rate}/s${details(measured)}`);
  const highest = found.filter(carried).at(-1)?.rate ?? 0;
  say(`${name}: carries ${highest} calls/s`);
  return highest;
}

let sustained = 0;
async function overload(): Promise<void> {
  const rate = 3 * (rates?.[0] ?? (sustained || 50));
  say(`\noverload: jobs at ${rate}/s, three times what is carried\n\n${heading()}`);
  const measured = await several('job', rate, Math.max(seconds, 10));
  say(`\n${details(measured)}`);
  const { started, completed, refused, failed, refusedAfter } = measured.outcome;
  say(
    `of ${started} calls ${refused} were refused by 503 (p50 ${refusedAfter.p50.toFixed(1)} ms, p99 ${refusedAfter.p99.toFixed(1)} ms), ${completed} accepted and completed, ${failed} failed`,
  );
}

async function hold(): Promise<void> {
  const calls = Number(values.calls);
  const one = CASES.find((c) => c.name === 'hold')!;
  say(`\nhold: ${one.meaning}; ${calls} at once\n\n${heading()}`);
  const rate = one.rates[0]!;
  await measure(installation, one, rate, 10 / rate, 500); // The clip and the code are in place afterwards.
  const measured = await several('hold', rate, calls / rate, (calls / rate) * 1000 + 10_000);
  say(`\n  memory, kB a held call: ${memory(measured)}`);
}

/** The log that the platform has, by a writer of its own. */
async function logAlone(): Promise<void> {
  await untilQuiet(Number(values.quiet));
  const log = broker
    ? await kafkaLog({ brokers: [broker.brokers] })
    : await postgresLog({ url: installation.databaseUrl });
  say(`\nlog: ${values.log}; ${machine()}`);
  for (const line of await measureLog(log)) say(`  ${line}`);
  await log.close();
}

/** Code is compiled and caches are filled by some calls of each kind; an edge that just started forgives its own start. */
async function warm(): Promise<void> {
  for (const one of CASES)
    await measure(installation, one, one.name === 'job' ? 30 : 20, one.name === 'job' ? 12 : 3, 500);
  await sleep(PAUSE_MS);
}

/** Each case at a rate that any machine carries; a call that was asked to come again (503) is no fault of the kit. */
async function smoke(): Promise<void> {
  let failed = 0;
  const tell = (name: string, ok: boolean, what: string) => {
    if (!ok) failed++;
    say(`${ok ? 'ok  ' : 'FAIL'} ${name}: ${what}`);
  };
  for (const one of CASES) {
    const { outcome, count } = await measure(installation, one, SMOKE_RATE, SMOKE_SECONDS, 1_000);
    const { started, completed, refused, why } = outcome;
    const isWhole = started > 0 && completed + refused === started && completed > 0 && count.events > 0;
    tell(one.name, isWhole, `${completed} of ${started} calls, ${refused} asked to come again ${JSON.stringify(why)}`);
  }
  // Nobody counts Kafka's.
  const costs = broker ? [] : await gate(installation, GATE_SECONDS.smoke, false);
  for (const { name, isWithin, line } of costs) tell(`${name}'s cost`, isWithin, line);
  const log = broker
    ? await kafkaLog({ brokers: [broker.brokers] })
    : await postgresLog({ url: installation.databaseUrl });
  const lines = await measureLog(log);
  await log.close();
  tell('log', lines.length > 0, `${lines.length} measurements`);
  const asked = await history({ ...SMOKE_HISTORY, log: broker ? 'kafka' : 'postgres', say: () => {} });
  const unanswered = asked.filter((figure) => figure.failed > 0).map(({ name }) => name);
  tell(
    'history',
    asked.length > 0 && unanswered.length === 0,
    `${asked.length} questions; ${unanswered.join(', ') || 'each answered'}`,
  );
  const passed = CASES.length + costs.length + 2 - failed;
  say(`\n${passed} passed, ${failed} failed, 0 skipped`);
  if (process.env.OPENTACT_COUNTS)
    writeFileSync(process.env.OPENTACT_COUNTS, JSON.stringify({ passed, failed, skipped: 0, reasons: [] }));
  process.exitCode = failed > 0 ? 1 : 0;
}

try {
  if (values.smoke) await smoke();
  else if (values.gate) await judgeCosts();
  else await figures();
} finally {
  await close();
}

/** Ends 1 where a call costs more than its budget. */
async function judgeCosts(): Promise<void> {
  await warm();
  const costs = await gate(installation, GATE_SECONDS.whole, true);
  for (const { name, isWithin, line } of costs) say(`${isWithin ? 'ok  ' : 'FAIL'} ${name}: ${line}`);
  process.exitCode = costs.every(({ isWithin }) => isWithin) ? 0 : 1;
}

async function figures(): Promise<void> {
  await warm();
  for (const name of wanted) {
    if (name === 'overload') await overload();
    else if (name === 'log') await logAlone();
    else if (name === 'hold') await hold();
    else {
      const highest = await ladder(name);
      if (name === 'job') sustained = highest;
    }
  }
}
