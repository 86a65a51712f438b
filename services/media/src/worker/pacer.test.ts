import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { type Paced, Pacer } from './pacer.ts';

const later = (ms: number) => new Promise((go) => setTimeout(go, ms));

describe('the paced loop', () => {
  const pacer = new Pacer();
  afterEach(() => pacer.stop());

  function counted(order: string[] = []): Paced & { turns: number; frames: number } {
    const one = {
      turns: 0,
      frames: 0,
      hear: () => void order.push('hear'),
      speak(_now: number, frames: number) {
        order.push('speak');
        one.turns++;
        one.frames += frames;
      },
    };
    return one;
  }

  it('gives each 50 turns a second', async () => {
    const many = Array.from({ length: 8 }, counted);
    for (const one of many) pacer.add(one);
    await later(500);
    for (const { frames } of many) assert.ok(Math.abs(frames - 25) <= 1, `${frames}`);
  });
  it('after a stall says how much time went by, in one turn', async () => {
    const one = counted();
    pacer.add(one);
    await later(60);
    const before = one.turns;
    for (const until = performance.now() + 300; performance.now() < until; );
    await later(15);
    assert.ok(one.turns - before <= 2, `${one.turns - before} turns after a stall`);
    assert.ok(one.frames >= 17, `${one.frames} frames told`);
  });
  it('bridged legs both hear before either speaks', async () => {
    const order: string[] = [];
    const [a, b] = [counted(order), counted(order)];
    pacer.add(a);
    pacer.add(counted());
    pacer.add(b);
    pacer.add(b, a);
    await later(50);
    assert.deepEqual(order.slice(0, 4), ['hear', 'hear', 'speak', 'speak']);
  });
  it('one that throws is taken off, the others go on', async (t) => {
    t.mock.method(process, 'emitWarning', () => {});
    const [bad, good] = [counted(), counted()];
    bad.hear = () => {
      throw new Error('broken');
    };
    pacer.add(bad);
    pacer.add(good, bad);
    await later(100);
    assert.equal(bad.turns, 0);
    assert.ok(good.turns >= 3);
  });
  it('one that was removed gets no more turns', async () => {
    const one = counted();
    pacer.add(one);
    await later(50);
    pacer.remove(one);
    const { turns } = one;
    await later(50);
    assert.equal(one.turns, turns);
  });
});
