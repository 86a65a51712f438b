/**
 * Runs test files in the order they are given, some at a time, each in a process of its own: `node tier.ts CONCURRENCY
 * TIMEOUT_MS FILE…`. `node --test` sorts them, so that a long one may begin last, and alone.
 */
import { run } from 'node:test';
import report from './reporter.ts';

const [concurrency, timeout, ...files] = process.argv.slice(2);
const events = run({ files, concurrency: Number(concurrency), timeout: Number(timeout) });
events.on('test:fail', () => {
  process.exitCode = 1;
});
events.compose(report).pipe(process.stdout);
