/** Shares of what may be under way, and turns among those who wait. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoPlace, Places } from './places.ts';

const settled = () => new Promise((go) => setImmediate(go));
const BOUNDS = { atOnce: 3, atOncePerSource: 2, waitingMax: 4, waitingPerSourceMax: 3 };

test('one source takes no more than its share, and those who wait begin in turns', async () => {
  const places = new Places(BOUNDS);
  const begun: string[] = [];
  const leave: Array<() => void> = [];
  const enter = (name: string) =>
    places.enter(name[0]!).then((left) => {
      begun.push(name);
      leave.push(left);
    });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) void enter(name);
  await settled();
  assert.deepEqual(begun, ['a1', 'a2', 'b1']);
  for (let n = 0; n < 7; n++) {
    leave[n]!();
    leave[n]!(); // Left twice is left once.
    await settled();
  }
  assert.deepEqual(begun, ['a1', 'a2', 'b1', 'a3', 'b2', 'c1', 'a4']);
  assert.deepEqual([places.busy, places.waiting, places.sources], [0, 0, 0]);
});

test('who finds no room is refused, unless another has more; who gives up leaves no trace', async () => {
  const places = new Places({ ...BOUNDS, atOnce: 1, waitingMax: 3 });
  const leave = await places.enter('a');
  const results: string[] = [];
  const enter = (source: string, signal?: AbortSignal) =>
    places.enter(source, signal).then(
      (left) => {
        results.push(`${source} began`);
        left();
      },
      (error: Error) => void results.push(`${source} ${error instanceof NoPlace ? 'refused' : error.message}`),
    );
  const gone = new AbortController();
  const all = [enter('a'), enter('a'), enter('a'), enter('a'), enter('b', gone.signal)];
  await settled();
  assert.deepEqual(results, ['a refused', 'a refused']); // the fourth of its own, and the third for the other
  gone.abort(new Error('left'));
  leave();
  await Promise.all(all);
  assert.deepEqual(results, ['a refused', 'a refused', 'b left', 'a began', 'a began']);
  await assert.rejects(places.enter('a', AbortSignal.abort(new Error('left'))), /left/);
  assert.equal(places.busy, 0);
});
