import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAllowList } from '@opentact/runtime';
import { Latch, UNPROVEN_MS } from './latch.ts';
import { MediaRule } from './media-rule.ts';

/** Signalling at 198.51.100.7, a trunk's range 203.0.113.0/24, 10.1.0.0/16 allowed; the SDP's place is given. */
function aimed(address: string, more: { fromAnywhere?: boolean; early?: boolean } = {}): Latch {
  const latch = new Latch();
  const peer = { signallingAddress: '198.51.100.7', ranges: ['203.0.113.0/24', 'no range'], fromAnywhere: false };
  latch.judgeBy(new MediaRule({ ...peer, ...more }, { allowed: parseAllowList('10.1.0.0/16, 10.9.0.1:4000') }));
  latch.aim(address, 4000, 4001);
  if (!more.early) latch.answered();
  return latch;
}

const places = (latch: Latch, ...times: number[]) => times.map((ms) => latch.target(ms)?.address ?? '');

describe('where RTP may go', () => {
  it('the signalling source, a range of its trunk and an allowed address are sent to at once, and before the answer', () => {
    for (const address of ['198.51.100.7', '203.0.113.9', '10.1.2.3', '10.9.0.1', '::ffff:198.51.100.7'])
      assert.deepEqual(places(aimed(address, { early: true }), 0, 60_000), [address, address]);
  });
  it('an address that is neither public nor known is sent nothing, ever', () => {
    for (const address of ['10.2.0.1', '10.9.0.2', '127.0.0.1', '192.168.1.1', '169.254.169.254', 'fd00::1', '::1'])
      assert.deepEqual(places(aimed(address), 0, 10, 60_000), ['', '', '']);
  });
  it('a public address gets two seconds, and nothing before the answer', () => {
    const latch = aimed('8.8.4.4', { early: true });
    assert.deepEqual(places(latch, 0, 5000), ['', '']);
    latch.answered();
    assert.deepEqual(places(latch, 5000, 5000 + UNPROVEN_MS - 1, 5000 + UNPROVEN_MS), ['8.8.4.4', '8.8.4.4', '']);
  });
  it('valid RTP or RTCP from there, whenever it comes, brings the rest', () => {
    for (const prove of [
      (latch: Latch) => latch.accepts('8.8.4.4', 4444),
      (latch: Latch) => latch.acceptsReport('8.8.4.4', 4445, true),
    ]) {
      const latch = aimed('8.8.4.4');
      assert.deepEqual(places(latch, 0, 9000), ['8.8.4.4', '']);
      assert.ok(prove(latch));
      assert.deepEqual(places(latch, 9001, 60_000), ['8.8.4.4', '8.8.4.4']);
    }
  });
  it('RTCP that knows nothing of our stream proves no address, for anybody can forge where it comes from', () => {
    const latch = aimed('8.8.4.4');
    assert.deepEqual(places(latch, 0, 9000), ['8.8.4.4', '']);
    assert.ok(latch.acceptsReport('8.8.4.4', 4445, false));
    assert.deepEqual(places(latch, 9001, 60_000), ['', '']);
  });
  it('a new place that must prove itself is told, so that it gets a stream of its own', () => {
    const latch = aimed('8.8.4.4');
    assert.deepEqual(
      [latch.aim('8.8.4.4', 4000, 4001), latch.aim('8.8.4.4', 4002, 4003), latch.aim('198.51.100.7', 4000, 4001)],
      [false, true, false],
    );
  });
  it('offers that name one public address after another get time for four of them, and each address once', () => {
    const latch = aimed('8.8.4.0');
    const sent = Array.from({ length: 8 }, (_, n) => {
      latch.aim(`8.8.4.${n % 5}`, 5000 + n, 4001);
      return latch.target(n * 3000) !== undefined;
    });
    assert.deepEqual(sent, [true, true, true, true, false, false, false, false]);
  });
});

describe('whose RTP is taken', () => {
  it('nobody’s before the SDP named a peer', () => {
    const latch = new Latch();
    latch.judgeBy(new MediaRule({ signallingAddress: '10.0.0.1', ranges: [], fromAnywhere: true }, { allowed: [] }));
    assert.equal(latch.accepts('10.0.0.1', 4000), false);
    assert.equal(latch.target(0), undefined);
  });
  it('the first source at the signalling address or in the ranges, any port, and never another after it', () => {
    for (const address of ['198.51.100.7', '203.0.113.200']) {
      const latch = aimed('192.168.1.2');
      assert.equal(latch.accepts('192.0.2.66', 4000), false, 'a stranger');
      assert.ok(latch.accepts(address, 7777));
      assert.deepEqual(latch.target(1e6), { address, port: 7777, standing: 'known' });
      for (const [other, port] of [
        ['198.51.100.7', 7778],
        ['192.168.1.2', 4000],
        ['203.0.113.201', 7777],
      ] as const)
        assert.equal(latch.accepts(other, port), false);
      assert.ok(latch.accepts(address, 7777));
    }
  });
  it('an address of the allow list only where the SDP names it', () => {
    assert.equal(aimed('192.168.1.2').accepts('10.1.2.3', 4000), false);
    assert.equal(aimed('10.1.2.3').accepts('10.1.2.4', 4000), false);
    assert.ok(aimed('10.1.2.3').accepts('10.1.2.3', 4002));
  });
  it('the SDP’s own address not where it may not be sent to', () => {
    assert.equal(aimed('192.168.1.2').accepts('192.168.1.2', 4000), false);
    assert.ok(aimed('8.8.4.4').accepts('8.8.4.4', 5001));
  });
  it('anybody’s with the setting, but not before the answer is anything sent to it', () => {
    const latch = aimed('192.168.1.2', { fromAnywhere: true, early: true });
    assert.ok(latch.accepts('192.0.2.66', 9));
    assert.equal(latch.accepts('198.51.100.7', 9), false);
    assert.equal(latch.target(0), undefined);
    latch.answered();
    assert.equal(latch.target(0)?.address, '192.0.2.66');
  });
  it('a new place in the SDP begins anew, the same one does not', () => {
    const latch = aimed('198.51.100.7');
    assert.ok(latch.accepts('198.51.100.7', 9));
    latch.aim('198.51.100.7', 4000, 4001);
    assert.equal(latch.target(0)?.port, 9);
    latch.aim('198.51.100.7', 4002, 4003);
    assert.equal(latch.target(0)?.port, 4002);
    assert.ok(latch.accepts('198.51.100.7', 10));
  });
  it('without a word on the leg only what is public is spoken to', () => {
    const latch = new Latch();
    latch.judgeBy(new MediaRule(undefined, { allowed: [] }));
    latch.answered();
    latch.aim('10.0.0.1', 4000, 4001);
    assert.equal(latch.target(0), undefined);
    assert.equal(latch.accepts('10.0.0.1', 4000), false);
  });
});

describe('RTCP', () => {
  it('goes to the address that RTP goes to: the port of its reports, else the SDP’s, else the next one', () => {
    const latch = aimed('198.51.100.7');
    assert.equal(latch.rtcpPort(latch.target(0)!), 4001);
    assert.ok(latch.acceptsReport('198.51.100.7', 6001, false));
    assert.equal(latch.rtcpPort(latch.target(0)!), 6001);
    const behindNat = aimed('192.168.1.2');
    assert.ok(behindNat.accepts('198.51.100.7', 7000));
    assert.equal(behindNat.rtcpPort(behindNat.target(0)!), 7001);
  });
  it('a stranger’s is nobody’s, also once the peer was heard', () => {
    const latch = aimed('198.51.100.7');
    assert.equal(latch.acceptsReport('192.0.2.66', 1, true), false);
    assert.ok(latch.accepts('198.51.100.7', 9));
    assert.equal(latch.acceptsReport('203.0.113.9', 1, true), false);
  });
});
