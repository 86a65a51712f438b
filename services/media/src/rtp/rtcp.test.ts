import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyHeader } from './packet.ts';
import { ReceptionCounter } from './reception.ts';
import { heardOf, REPORT_BYTES_MAX, readReport, writeSenderReport } from './rtcp.ts';

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
  it('what is heard of a stream is read of every block that names it, and of nothing beyond the packet', () => {
    const packet = Buffer.alloc(REPORT_BYTES_MAX);
    const heard = { ssrc: 9, fractionLost: 0, lost: 0, highestSequence: 70_000, jitter: 0 };
    const report = packet.subarray(0, writeSenderReport(packet, 1, 0, 0, 0, 0, heard));
    assert.deepEqual([heardOf(report, 9), heardOf(report, 8)], [[70_000], []]);
    const more = Buffer.from(report);
    more[0] = 0x9f; // 31 blocks, it says
    assert.deepEqual(heardOf(more, 9), [70_000]);
    const receiver = Buffer.alloc(8 + 48);
    receiver.set([0x82, 201, 0, 13]);
    for (const [at, sequence] of [
      [8, 5],
      [32, 6],
    ] as const) {
      receiver.writeUInt32BE(9, at);
      receiver.writeUInt32BE(sequence, at + 8);
    }
    assert.deepEqual(heardOf(Buffer.concat([receiver, report]), 9), [5, 6, 70_000]);
    assert.deepEqual(heardOf(Buffer.from([0x81, 201, 0, 1, 0, 0, 0, 9]), 9), []);
  });
  it('other packets are no report', () => {
    assert.equal(readReport(Buffer.from([0x80, 203, 0, 1, 0, 0, 0, 1])), undefined);
    assert.equal(readReport(Buffer.alloc(3)), undefined);
  });
});
