/** Sources take turns, each has its share of what may wait, and a job past its deadline ends alone. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type JobFailed, JobThread } from './job-thread.ts';

const echo = new URL(
  `data:text/javascript,${encodeURIComponent(
    "import { parentPort } from 'node:worker_threads'; parentPort.on('message', (job) => job === 'never' || parentPort.postMessage({ ok: true, result: job }));",
  )}`,
);

test('one source with many jobs is waited for no longer than one of its jobs', async (t) => {
  const thread = new JobThread<string, string>(echo, { deadlineMs: 5_000 });
  t.after(() => thread.close());
  const done: string[] = [];
  const run = (job: string, source: string) => thread.run(job, source).then((result) => done.push(result));
  await Promise.all([...['a1', 'a2', 'a3', 'a4'].map((job) => run(job, 'a')), run('b1', 'b')]);
  assert.deepEqual(done, ['a1', 'a2', 'b1', 'a3', 'a4']);
});

test('what exceeds a share is refused at once; where all room is taken, the source with most waiting makes some', async (t) => {
  const thread = new JobThread<string, string>(echo, { deadlineMs: 5_000, waitingMax: 3, waitingPerSourceMax: 2 });
  t.after(() => thread.close());
  const results = await Promise.allSettled(
    ['a', 'a', 'a', 'a', 'b', 'c'].map((source, n) => thread.run(String(n), source)),
  );
  const refused = results.flatMap((r, n) => (r.status === 'rejected' ? [[n, (r.reason as JobFailed).why]] : []));
  assert.deepEqual(refused, [
    [2, 'full'], // the last that waits of the source with most makes room for the last source
    [3, 'full'], // the first runs, two wait
  ]);
});

test('a job past its deadline fails by name; the next is done by a new thread', async (t) => {
  const thread = new JobThread<string, string>(echo, { deadlineMs: 300 });
  t.after(() => thread.close());
  const [late, next] = await Promise.allSettled([thread.run('never'), thread.run('next')]);
  assert.equal(late.status === 'rejected' && (late.reason as JobFailed).why, 'late');
  assert.equal(next.status === 'fulfilled' && next.value, 'next');
});

test('an idle thread keeps no process alive', async () => {
  const script = new URL('./job-thread.ts', import.meta.url).href;
  const program = `import { JobThread } from ${JSON.stringify(script)};
    const thread = new JobThread(new URL(${JSON.stringify(echo.href)}), { deadlineMs: 5000 });
    thread.warm();
    process.stdout.write(await thread.run('done'));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 8_000,
  });
  assert.equal(stdout, 'done');
});

test('a job that waits can be given up, and leaves its place to the others', async (t) => {
  const thread = new JobThread<string, string>(echo, { deadlineMs: 5_000 });
  t.after(() => thread.close());
  const gone = new AbortController();
  const [first, second, third] = [thread.run('1'), thread.run('2', '', gone.signal), thread.run('3')];
  gone.abort(new Error('over'));
  await assert.rejects(second, /over/);
  assert.deepEqual(await Promise.all([first, third]), ['1', '3']);
  await assert.rejects(thread.run('4', '', gone.signal), /over/);
});
