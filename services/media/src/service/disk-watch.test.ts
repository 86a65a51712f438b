import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { it } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { watchDisk } from './disk-watch.ts';

it('below the floor whoever records is told once, with an error in the log, and again when there is room', async (t) => {
  let free = 2000;
  const told: boolean[] = [];
  const lines: string[] = [];
  const end = watchDisk({
    folder: tmpdir(),
    floorBytes: 1000,
    everyMs: 5,
    freeBytes: async () => free,
    log: { error: (_, words) => void lines.push(`error ${words}`), info: (_, words) => void lines.push(words) },
    told: (isFull) => told.push(isFull),
  });
  t.after(end);
  for (const [now, expected] of [
    [2000, []],
    [999, [true]],
    [1050, [true]],
    [1200, [true, false]],
  ] as const) {
    free = now;
    await later(40);
    assert.deepEqual(told, expected, `${now} bytes`);
  }
  assert.deepEqual([lines.length, lines[0]!.slice(0, 15)], [2, 'error the disk ']);
});

it('a floor beyond any disk is noticed on the real one, and none is no floor', async (t) => {
  const told: boolean[] = [];
  const of = {
    folder: tmpdir(),
    log: { error: () => {}, info: () => {} },
    told: (isFull: boolean) => told.push(isFull),
  };
  t.after(watchDisk({ ...of, floorBytes: 0 }));
  await later(20);
  assert.deepEqual(told, []);
  t.after(watchDisk({ ...of, floorBytes: 2 ** 60 }));
  for (let n = 0; told.length === 0 && n < 100; n++) await later(10);
  assert.deepEqual(told, [true]);
});
