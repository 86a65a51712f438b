import assert from 'node:assert/strict';
import type { Socket } from 'node:dgram';
import { it } from 'node:test';
import { PCMU } from '../codec/g711/g711.ts';
import { DigitSender } from '../rtp/digit-sender.ts';
import { emptyHeader, readHeader } from '../rtp/packet.ts';
import { RtpOut } from './rtp-out.ts';

it('a key keeps one timestamp though frames were lost while it was sent', () => {
  const timestamps = new Set<number>();
  const header = emptyHeader();
  const socket = {
    send(packet: Buffer) {
      assert.ok(readHeader(packet, header));
      timestamps.add(header.timestamp);
    },
  } as unknown as Socket;
  const out = new RtpOut(socket);
  const keys = new DigitSender();
  keys.press('4', 100);
  for (let n = 0; keys.busy; n++) {
    out.advance(n % 3 === 2 ? 4 : 1);
    out.sendDigit(keys, 101, '127.0.0.1', 4000);
  }
  assert.equal(timestamps.size, 1);
});

it('packets of another length hold the same audio, in order and without a gap', () => {
  for (const ms of [5, 10, 20, 30, 40, 60]) {
    const header = emptyHeader();
    const got: Array<{ timestamp: number; sequence: number; samples: number[] }> = [];
    const socket = {
      send(packet: Buffer, _from: number, length: number) {
        const whole = packet.subarray(0, length);
        assert.ok(readHeader(whole, header));
        const { timestamp, sequence } = header;
        got.push({ timestamp, sequence, samples: [...whole.subarray(12)] });
      },
    } as unknown as Socket;
    const out = new RtpOut(socket);
    out.carry(PCMU, ms);
    for (let n = 0; n < 12; n++) {
      out.advance(1);
      for (let i = 0; i < 160; i++) out.packet[12 + i] = (n * 160 + i) % 251;
      out.sendAudio(0, '127.0.0.1', 4000);
    }
    assert.equal(got.length, 240 / ms);
    assert.deepEqual(
      got.flatMap(({ samples }) => samples),
      Array.from({ length: 1920 }, (_, i) => i % 251),
    );
    got.forEach(({ timestamp, sequence, samples }, n) => {
      assert.equal(samples.length, ms * 8);
      assert.equal((timestamp - got[0]!.timestamp) >>> 0, n * ms * 8);
      assert.equal((sequence - got[0]!.sequence) & 0xffff, n);
    });
    assert.equal(out.octets, 1920);
  }
});
