/**
 * `npm run fuzz -- [TARGET …] [--all] [--runs N] [--seed FIRST]`: that many inputs of each target, each by a seed of its own. It
 * runs in a thread that the other one watches, so that an input which hangs is named as well. Ends 1 where something was found.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Failure } from './fuzz.ts';
import { heapBytes } from './memory.ts';
import { TARGETS } from './targets.ts';

const GROWTH_MAX = 50 * 1_048_576;
const HANGS_MS = 60_000;
const SETTLED_AFTER = 2_000;
const FAILURES_MAX = 10;

type Word = { failure: Failure } | { done: { runs: number; growth: number; slowestMs: number; slowestSeed: number } };

type Order = { target: string; runs: number; seed: number; now: SharedArrayBuffer };

const HELP = `npm run fuzz -- [TARGET …] [--all] [--runs N] [--seed FIRST]

  TARGET   ${TARGETS.map(({ name }) => name).join(', ')}; documents where none is named
  --all    each of them, ${TARGETS.map(({ name, runs }) => `${runs.toLocaleString('en')} ${name}`).join(', ')}
  --runs   so many of each instead (10,000 where targets are named)

Requests to the REST API by chance: OPENTACT_REQUESTS=100000 node --test services/api/src/requests.test.ts
`;

if (isMainThread) await main();
else work(workerData as Order);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const names = values.all ? TARGETS.map(({ name }) => name) : positionals.length > 0 ? positionals : ['documents'];
  const unknown = names.find((name) => !TARGETS.some((t) => t.name === name));
  const [runs, seed] = [Number(values.runs ?? 10_000), Number(values.seed)];
  if (values.help || unknown || !(Number.isInteger(runs) && runs > 0 && Number.isInteger(seed))) {
    process.stderr.write(unknown ? `there is no target ${unknown}\n\n${HELP}` : HELP);
    process.exit(values.help ? 0 : 2);
  }
  for (const name of names) {
    const target = TARGETS.find((t) => t.name === name)!;
    await watch(name, values.all && !values.runs ? target.runs : runs, seed);
  }
}

function watch(target: string, runs: number, seed: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const now = new SharedArrayBuffer(4);
  const current = new Int32Array(now);
  const worker = new Worker(new URL(import.meta.url), { workerData: { target, runs, seed, now } satisfies Order });
  const started = Date.now();
  let failures = 0;
  let seen = -1;
  let since = started;
  const clock = setInterval(() => {
    const at = Atomics.load(current, 0);
    if (at !== seen) [seen, since] = [at, Date.now()];
    else if (Date.now() - since > HANGS_MS) {
      process.stdout.write(`${target}, seed ${at}: no end after ${HANGS_MS / 1000} s\n`);
      process.exit(1);
    }
  }, 1_000);
  worker.on('message', (word: Word) => {
    if ('failure' in word) {
      failures++;
      process.stdout.write(`${target}, seed ${word.failure.seed}: ${word.failure.fault}\n${word.failure.document}\n\n`);
      return;
    }
    const { growth, slowestMs, slowestSeed } = word.done;
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    process.stdout.write(
      `${target}: ${word.done.runs} in ${seconds} s from seed ${seed}, ${failures} failures; slowest ${slowestMs.toFixed(0)} ms (seed ${slowestSeed}); memory grew by ${(growth / 1_048_576).toFixed(1)} MB\n`,
    );
    if (growth > GROWTH_MAX) process.stdout.write('memory grew by more than 50 MB\n');
    if (failures > 0 || growth > GROWTH_MAX) process.exitCode = 1;
    clearInterval(clock);
    void worker.terminate().then(() => resolve());
  });
  worker.on('error', (error) => {
    process.stdout.write(`${target}, seed ${Atomics.load(current, 0)}: ${error.stack}\n`);
    process.exit(1);
  });
  return promise;
}

function work({ target, runs, seed, now }: Order): void {
  const { once } = TARGETS.find(({ name }) => name === target)!;
  const current = new Int32Array(now);
  const say = (word: Word) => parentPort!.postMessage(word);
  let before = 0;
  let failures = 0;
  let [slowestMs, slowestSeed, done] = [0, seed, 0];
  for (; done < runs && failures < FAILURES_MAX; done++) {
    if (done === Math.min(SETTLED_AFTER, runs >> 1)) before = heapBytes();
    Atomics.store(current, 0, seed + done);
    const started = performance.now();
    const failure = once(seed + done);
    const tookMs = performance.now() - started;
    if (failure) {
      failures++;
      say({ failure });
    } else if (tookMs > slowestMs) [slowestMs, slowestSeed] = [tookMs, seed + done];
  }
  say({ done: { runs: done, growth: before > 0 ? heapBytes() - before : 0, slowestMs, slowestSeed } });
}
