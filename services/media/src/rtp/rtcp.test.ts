import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyHeader } from './packet.ts';
import { ReceptionCounter } from './reception.ts';
import { REPORT_BYTES_MAX, readReport, writeSenderReport } from './rtcp.ts';

function arrivals(count: number, lostEvery: number): ReceptionCounter {
  const counter = new ReceptionCounter();
  const header = emptyHeader();
  header.ssrc = 9;
  for (let n = 0; n < count; n++) {
    if (lostEvery && n % lostEvery === 1) continue;
    header.sequence = (65_500 + n) & 0xffff;
    header.timestamp = (n * 160) >>> 0;
    counter.count(header, n * 20);
  }
  return counter;
}

describe('RTCP', () => {
  it('loss is counted across the wrap of sequence numbers', () => {
    const report = arrivals(200, 10).report()!;
    assert.equal(report.lost, 20);
    assert.equal(report.fractionLost, Math.floor((20 * 256) / 200));
    assert.equal(report.jitter, 0);
  });
  it('a sender report with a reception block is read back', () => {
    const packet = Buffer.alloc(REPORT_BYTES_MAX);
    const length = writeSenderReport(packet, 0xfedcba98, 1_700_000_000_250, 160, 10, 1600, arrivals(100, 4).report());
    const report = readReport(packet.subarray(0, length))!;
    assert.equal(length % 4, 0);
    assert.equal(report.ssrc, 0xfedcba98);
    assert.equal(report.lost, 25);
    assert.ok(report.sender);
  });
  it('other packets are no report', () => {
    assert.equal(readReport(Buffer.from([0x80, 203, 0, 1, 0, 0, 0, 1])), undefined);
    assert.equal(readReport(Buffer.alloc(3)), undefined);
  });
});
