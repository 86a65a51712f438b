import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Concealer } from './conceal.ts';

const voice = (n: number) => 8000 * Math.sin((2 * Math.PI * 125 * n) / 8000);
const frameAt = (start: number) => Int16Array.from({ length: 160 }, (_, i) => voice(start + i));

describe('loss concealment', () => {
  it('one lost frame of a steady voice is hardly missed', () => {
    const concealer = new Concealer();
    for (let n = 0; n < 5; n++) concealer.heard(frameAt(n * 160));
    const concealed = new Int16Array(160);
    concealer.missing(concealed);
    const real = frameAt(800);
    let error = 0;
    let energy = 0;
    for (let i = 0; i < 80; i++) {
      error += (concealed[i]! - real[i]!) ** 2;
      energy += real[i]! ** 2;
    }
    assert.ok(error / energy < 0.02, `error ${error / energy}`);
  });
  it('a gap of more than 60 ms is silence', () => {
    const concealer = new Concealer();
    for (let n = 0; n < 5; n++) concealer.heard(frameAt(n * 160));
    const frame = new Int16Array(160);
    for (let n = 0; n < 4; n++) concealer.missing(frame);
    assert.ok(frame.every((sample) => sample === 0));
  });
  it('nothing heard yet is silence too', () => {
    const frame = new Int16Array(160).fill(5);
    new Concealer().missing(frame);
    assert.ok(frame.every((sample) => sample === 0));
  });
});
