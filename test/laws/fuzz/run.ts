/**
 * `npm run fuzz -- --runs N [--seed FIRST]`: that many random documents, each by a seed of its own. It runs in a thread that
 * the other one watches, so that a document which hangs is named as well. Ends 1 where something was found.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Failure, fuzzOnce } from './fuzz.ts';
import { heapBytes } from './memory.ts';

const GROWTH_MAX = 50 * 1_048_576;
const HANGS_MS = 60_000;
const SETTLED_AFTER = 2_000;
const FAILURES_MAX = 10;

type Word = { failure: Failure } | { done: { runs: number; growth: number; slowestMs: number; slowestSeed: number } };

if (isMainThread) watch();
else work(workerData as { runs: number; seed: number; now: SharedArrayBuffer });

function watch(): void {
  const { values } = parseArgs({
    options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
  });
  const [runs, seed] = [Number(values.runs), Number(values.seed)];
  if (!(Number.isInteger(runs) && runs > 0 && Number.isInteger(seed))) {
    process.stderr.write('npm run fuzz -- --runs N [--seed FIRST]\n');
    process.exit(2);
  }
  const now = new SharedArrayBuffer(4);
  const current = new Int32Array(now);
  const worker = new Worker(new URL(import.meta.url), { workerData: { runs, seed, now } });
  const started = Date.now();
  let failures = 0;
  let seen = -1;
  let since = started;
  const clock = setInterval(() => {
    const at = Atomics.load(current, 0);
    if (at !== seen) [seen, since] = [at, Date.now()];
    else if (Date.now() - since > HANGS_MS) {
      process.stdout.write(`seed ${at}: no end after ${HANGS_MS / 1000} s\n`);
      process.exit(1);
    }
  }, 1_000);
  worker.on('message', (word: Word) => {
    if ('failure' in word) {
      failures++;
      process.stdout.write(`seed ${word.failure.seed}: ${word.failure.fault}\n${word.failure.document}\n\n`);
      return;
    }
    const { growth, slowestMs, slowestSeed } = word.done;
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    process.stdout.write(
      `${word.done.runs} documents in ${seconds} s, ${failures} failures; slowest ${slowestMs.toFixed(0)} ms (seed ${slowestSeed}); memory grew by ${(growth / 1_048_576).toFixed(1)} MB\n`,
    );
    if (growth > GROWTH_MAX) process.stdout.write('memory grew by more than 50 MB\n');
    process.exitCode = failures > 0 || growth > GROWTH_MAX ? 1 : 0;
    clearInterval(clock);
  });
  worker.on('error', (error) => {
    process.stdout.write(`seed ${Atomics.load(current, 0)}: ${error.stack}\n`);
    process.exit(1);
  });
}

function work({ runs, seed, now }: { runs: number; seed: number; now: SharedArrayBuffer }): void {
  const current = new Int32Array(now);
  const say = (word: Word) => parentPort!.postMessage(word);
  let before = 0;
  let failures = 0;
  let [slowestMs, slowestSeed, done] = [0, seed, 0];
  for (; done < runs && failures < FAILURES_MAX; done++) {
    if (done === Math.min(SETTLED_AFTER, runs >> 1)) before = heapBytes();
    Atomics.store(current, 0, seed + done);
    const started = performance.now();
    const failure = fuzzOnce(seed + done);
    const tookMs = performance.now() - started;
    if (failure) {
      failures++;
      say({ failure });
    } else if (tookMs > slowestMs) [slowestMs, slowestSeed] = [tookMs, seed + done];
  }
  say({ done: { runs: done, growth: before > 0 ? heapBytes() - before : 0, slowestMs, slowestSeed } });
}
