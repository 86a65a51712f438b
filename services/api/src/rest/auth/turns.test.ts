/** One who asks for much at once waits for themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { createTurns } from './turns.ts';

test('one share’s hundred leave others their place, and delay them by one each', async () => {
  const turns = createTurns({ atOnce: 2, waiting: 20, perShare: 5 });
  const done: string[] = [];
  const work = (name: string) => async () => {
    await tick();
    done.push(name);
  };
  const flood = Array.from({ length: 100 }, () => turns.take('flood', work('flood')).catch(({ status }) => status));
  const others = ['ann', 'bob'].map((name) => turns.take(name, work(name)));
  await Promise.all(others);
  assert.deepEqual(done.slice(0, 5).sort(), ['ann', 'bob', 'flood', 'flood', 'flood']);
  const answers = await Promise.all(flood);
  assert.equal(answers.filter((status) => status === 429).length, 93, 'two ran, five waited');
  assert.equal(await turns.take('flood', async () => 'again'), 'again');
});

test('all together wait within a bound, and what fails gives its place back', async () => {
  const turns = createTurns({ atOnce: 1, waiting: 3, perShare: 2 });
  const fail = () => Promise.reject(new Error('failed'));
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, i) => turns.take(`share ${i}`, fail).catch((error) => error.status ?? error.message)),
  );
  assert.deepEqual(answers, ['failed', 'failed', 'failed', 'failed', 429, 429]);
  assert.equal(await turns.take('a', async () => 'free'), 'free');
});
