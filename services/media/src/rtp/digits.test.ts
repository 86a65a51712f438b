import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DigitReceiver, END_LOST_AFTER_MS } from './digit-receiver.ts';
import { DigitSender } from './digit-sender.ts';

type Packet = { payload: Buffer; timestamp: number; atMs: number };

function spoken(keys: string, durationMs: number): Packet[] {
  const sender = new DigitSender();
  for (const key of keys) assert.ok(sender.press(key, durationMs));
  const packets: Packet[] = [];
  for (let n = 0; sender.busy; n++) {
    const payload = Buffer.alloc(4);
    const ago = sender.write(payload, 0);
    if (ago >= 0) packets.push({ payload, timestamp: (n * 160 - ago) >>> 0, atMs: n * 20 });
  }
  return packets;
}

function heard(packets: Packet[]): string[] {
  const told: string[] = [];
  const receiver = new DigitReceiver((digit, durationMs) => told.push(`${digit} ${durationMs}`));
  let now = 0;
  for (const { payload, timestamp, atMs } of packets) {
    receiver.tick(atMs);
    receiver.receive(payload, 0, 4, timestamp, atMs);
    now = atMs;
  }
  receiver.tick(now + END_LOST_AFTER_MS + 1);
  return told;
}

const ends = (packet: Packet) => (packet.payload[1]! & 0x80) !== 0;

describe('telephone events', () => {
  it('each key is told once, with its duration, though its end is sent three times', () => {
    assert.deepEqual(heard(spoken('19*#D', 100)), ['1 100', '9 100', '* 100', '# 100', 'D 100']);
  });
  it('the same key twice is two keys', () => {
    assert.deepEqual(heard(spoken('55', 60)), ['5 60', '5 60']);
  });
  it('a key whose end packets were all lost is told after a while', () => {
    assert.deepEqual(heard(spoken('7', 100).filter((packet) => !ends(packet))), ['7 100']);
  });
  it('a key whose end was lost is told when the next begins', () => {
    const packets = spoken('12', 100).filter((packet) => !(ends(packet) && packet.payload[0] === 1));
    assert.deepEqual(heard(packets), ['1 100', '2 100']);
  });
  it('only the last repeat of the end arrives, and the key still counts once', () => {
    assert.deepEqual(heard(spoken('3', 100).slice(-1)), ['3 100']);
  });
  it('stragglers and repeats in any order add nothing', () => {
    const packets = spoken('4', 80);
    assert.deepEqual(heard([...packets, ...packets.slice().reverse()].map((p, n) => ({ ...p, atMs: n * 5 }))), [
      '4 80',
    ]);
  });
  it('what is no key is refused', () => {
    const sender = new DigitSender();
    assert.equal(sender.press('x', 100), false);
    assert.equal(sender.press('', 100), false);
    assert.equal(sender.press('12', 100), false);
    assert.deepEqual(heard([{ payload: Buffer.from([16, 0x80, 0, 160]), timestamp: 1, atMs: 0 }]), []);
  });
});
