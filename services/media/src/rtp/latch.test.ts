import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Latch } from './latch.ts';

function aimed(): Latch {
  const latch = new Latch();
  latch.aim('10.0.0.1', 4000);
  return latch;
}

describe('symmetric RTP', () => {
  it('nothing is heard before the SDP named a peer', () => {
    assert.equal(new Latch().accepts('10.0.0.1', 4000, 0), false);
  });
  it('the first valid source wins over later ones and keeps its place', () => {
    const latch = aimed();
    assert.ok(latch.accepts('192.0.2.7', 5000, 10));
    assert.equal(latch.port, 5000);
    assert.equal(latch.accepts('192.0.2.8', 5000, 30), false);
    assert.ok(latch.accepts('192.0.2.7', 5000, 2500));
    assert.equal(latch.accepts('10.0.0.1', 4000, 2600), false, 'after the window even the named place is a stranger');
  });
  it('the place that the SDP named, heard within the window, is believed for good: an old call’s phone may still send here', () => {
    const latch = aimed();
    assert.ok(latch.accepts('192.0.2.7', 5000, 10));
    assert.ok(latch.accepts('10.0.0.1', 4000, 30));
    assert.equal(latch.accepts('192.0.2.7', 5000, 40), false);
    assert.equal(latch.port, 4000);
  });
  it('two seconds after media began only the named place is believed', () => {
    const latch = aimed();
    latch.open(0);
    assert.equal(latch.accepts('192.0.2.7', 5000, 2001), false);
    assert.ok(latch.accepts('10.0.0.1', 4000, 9000));
  });
  it('a new address in the SDP opens the choice again, the same one does not', () => {
    const latch = aimed();
    latch.accepts('192.0.2.7', 5000, 10);
    latch.aim('10.0.0.1', 4000);
    assert.equal(latch.port, 5000);
    latch.aim('10.0.0.1', 4002);
    assert.equal(latch.port, 4002);
    assert.ok(latch.accepts('10.0.0.1', 4002, 9000));
  });
});
