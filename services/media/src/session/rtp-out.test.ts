import assert from 'node:assert/strict';
import type { Socket } from 'node:dgram';
import { it } from 'node:test';
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
