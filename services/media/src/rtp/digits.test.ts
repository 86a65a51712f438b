import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DigitReceiver, END_LOST_AFTER_MS } from './digit-receiver.ts';
import { DigitSender } from './digit-sender.ts';
import { emptyHeader } from './packet.ts';

type Packet = { payload: Buffer; timestamp: number; sequence: number; atMs: number; ssrc?: number };

function spoken(keys: string, durationMs: number): Packet[] {
  const sender = new DigitSender();
  for (const key of keys) assert.ok(sender.press(key, durationMs));
  const packets: Packet[] = [];
  for (let n = 0; sender.busy; n++) {
    const payload = Buffer.alloc(4);
    const ago = sender.write(payload, 0);
    if (ago >= 0) packets.push({ payload, timestamp: (n * 160 - ago) >>> 0, sequence: packets.length, atMs: n * 20 });
  }
  return packets;
}

function heard(packets: Packet[]): string[] {
  const told: string[] = [];
  const receiver = new DigitReceiver((digit, durationMs) => told.push(`${digit} ${durationMs}`));
  let now = 0;
  for (const { payload, timestamp, sequence, atMs, ssrc = 7 } of packets) {
    receiver.tick(atMs);
    const header = { ...emptyHeader(), timestamp, sequence, ssrc, payloadStart: 0, payloadEnd: 4 };
    receiver.receive(payload, header, atMs);
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
  /** As a gateway sends them that never moves its timestamp. */
  const underOneTimestamp = (keys: string, durationMs = 100) =>
    spoken(keys, durationMs).map((packet) => ({ ...packet, timestamp: 4711 }));
  it('keys under one timestamp are as many keys, the same one twice too', () => {
    assert.deepEqual(heard(underOneTimestamp('123')), ['1 100', '2 100', '3 100']);
    assert.deepEqual(heard(underOneTimestamp('1121')), ['1 100', '1 100', '2 100', '1 100']);
  });
  it('under one timestamp, too, repeats and stragglers add nothing, and a lost end costs no key', () => {
    const packets = underOneTimestamp('1223');
    const late = packets.map((p, n) => ({ ...p, atMs: n * 20 }));
    assert.deepEqual(heard([...late, ...late.slice().reverse()]), ['1 100', '2 100', '2 100', '3 100']);
    const swapped = packets.map((_, n) => packets[Math.min(packets.length - 1, n ^ 1)]!);
    assert.deepEqual(heard(swapped.map((p, n) => ({ ...p, atMs: n * 20 }))), ['1 100', '2 100', '2 100', '3 100']);
    assert.deepEqual(heard(packets.filter((packet) => !ends(packet))), ['1 100', '2 100', '2 100', '3 100']);
  });
  it('under one timestamp the end alone of each key is enough', () => {
    assert.deepEqual(heard(underOneTimestamp('123').filter(ends)), ['1 100', '2 100', '3 100']);
  });
  it('a key that is still down after its end was given up is told once', () => {
    const packets = spoken('6', 400).map((packet, n) => ({ ...packet, atMs: n < 5 ? n * 20 : n * 20 + 400 }));
    assert.equal(heard(packets).length, 1);
  });
  it('another stream may use a timestamp again', () => {
    const [first, second] = [spoken('7', 100), spoken('7', 100).map((p) => ({ ...p, ssrc: 8, atMs: p.atMs + 500 }))];
    assert.deepEqual(heard([...first, ...second]), ['7 100', '7 100']);
  });
  it('a key held for more than eight seconds goes on in another segment, and is one', () => {
    const part = (timestamp: number, duration: number, sequence: number, end = 0) => {
      const payload = Buffer.from([5, end, duration >> 8, duration & 255]);
      return { payload, timestamp, sequence, atMs: sequence * 50 };
    };
    const packets = [
      part(100, 400, 1),
      part(100, 0xffff, 2),
      part(100 + 0xffff, 400, 3),
      part(100 + 0xffff, 800, 4, 0x80),
    ];
    assert.deepEqual(heard(packets), [`5 ${Math.round((0xffff + 800) / 8)}`]);
  });
  it('what is no key is refused', () => {
    const sender = new DigitSender();
    assert.equal(sender.press('x', 100), false);
    assert.equal(sender.press('', 100), false);
    assert.equal(sender.press('12', 100), false);
    assert.deepEqual(heard([{ payload: Buffer.from([16, 0x80, 0, 160]), timestamp: 1, sequence: 1, atMs: 0 }]), []);
  });
});
