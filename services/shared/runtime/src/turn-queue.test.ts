/** Sources take turns; where all room is taken, whoever has most makes room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnQueue } from './turn-queue.ts';

function queueOf(...items: string[]): TurnQueue<string> {
  const queue = new TurnQueue<string>();
  for (const item of items) queue.push(item[0]!, item);
  return queue;
}

test('sources take turns, each in its own order, and a source that always has more does not stay in front', () => {
  const queue = queueOf('a1', 'a2', 'a3', 'b1', 'c1');
  const taken = [queue.take()];
  queue.push('a', 'a4');
  for (let item = queue.take(); item; item = queue.take()) taken.push(item);
  assert.deepEqual(taken, ['a1', 'b1', 'c1', 'a2', 'a3', 'a4']);
  assert.equal(queue.size, 0);
});

test('what may not go yet is passed over and keeps its place', () => {
  const queue = queueOf('a1', 'a2', 'b1');
  assert.equal(
    queue.take((item) => item !== 'a1'),
    'a2',
  );
  assert.equal(
    queue.take((_, source) => source === 'a'),
    'a1',
  );
  assert.equal(
    queue.take(() => false),
    undefined,
  );
  assert.deepEqual([queue.size, queue.sizeOf('b')], [1, 1]);
});

test('room is made by the newest of whoever has most, never for one who would have as much', () => {
  const queue = queueOf('a1', 'a2', 'a3', 'b1', 'b2');
  assert.equal(queue.displace('b'), undefined);
  assert.equal(queue.displace('a'), undefined);
  assert.equal(queue.displace('c'), 'a3');
  assert.deepEqual([queue.remove('a', 'a3'), queue.remove('a', 'a1'), queue.size], [false, true, 3]);
  assert.deepEqual(queue.clear(), ['a2', 'b1', 'b2']);
});
