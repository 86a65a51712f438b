import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyHeader, readHeader, sequenceDistance, timestampDistance, writeHeader } from './packet.ts';

describe('RTP packets', () => {
  it('what was written is read back', () => {
    const packet = Buffer.alloc(172);
    writeHeader(packet, 101, true, 65_535, 0xffffffff, 0xdeadbeef);
    const header = emptyHeader();
    assert.ok(readHeader(packet, header));
    assert.deepEqual(header, {
      marker: true,
      payloadType: 101,
      sequence: 65_535,
      timestamp: 0xffffffff,
      ssrc: 0xdeadbeef,
      payloadStart: 12,
      payloadEnd: 172,
    });
  });
  it('contributing sources, an extension and padding are stepped over', () => {
    const packet = Buffer.alloc(12 + 8 + 8 + 20 + 4);
    writeHeader(packet, 0, false, 1, 160, 7);
    packet[0] = 0x80 | 0x20 | 0x10 | 2;
    packet.writeUInt16BE(1, 12 + 8 + 2);
    packet[packet.length - 1] = 4;
    const header = emptyHeader();
    assert.ok(readHeader(packet, header));
    assert.equal(header.payloadStart, 28);
    assert.equal(header.payloadEnd, 48);
  });
  it('noise, truncated packets and RTCP are refused', () => {
    const header = emptyHeader();
    assert.equal(readHeader(Buffer.from('hello, are you there?'), header), false);
    assert.equal(readHeader(Buffer.alloc(11, 0x80), header), false);
    const report = Buffer.alloc(28);
    report[0] = 0x80;
    report[1] = 200;
    assert.equal(readHeader(report, header), false);
    const overlong = Buffer.alloc(14);
    overlong[0] = 0x90;
    assert.equal(readHeader(overlong, header), false);
    const padded = Buffer.alloc(20, 0xff);
    padded[0] = 0xa0;
    padded[1] = 0;
    assert.equal(readHeader(padded, header), false);
  });
  it('distances wrap', () => {
    assert.equal(timestampDistance(100, 0xffffff9c), 200);
    assert.equal(timestampDistance(0xffffff9c, 100), -200);
    assert.equal(sequenceDistance(2, 65_534), 4);
    assert.equal(sequenceDistance(65_534, 2), -4);
  });
});
