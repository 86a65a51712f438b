import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEvent, FactOf } from '@opentact/proto/events';
import { type Call, newCall } from './call.ts';
import { isOtherWay, wayOfKeys } from './keys.ts';

const leg = { state: 'answered', ringing: false, answeredAt: 0, held: false, target: '' } as const;
const key = (way?: string) =>
  ({
    type: 'DigitPressed',
    leg: 0,
    digit: '1',
    durationMs: 100,
    callId: 'c',
    seq: 1,
    at: 0,
    ...(way && { way }),
  }) as CallEvent<FactOf<'DigitPressed'>>;
const callWith = (change: object = {}, flow: object = {}): Call => {
  const call = newCall('c');
  return { ...call, legs: [{ ...leg, ...change }], flow: { ...call.flow, ...flow } };
};

test('the first key by INFO makes INFO the way of the leg, unless the flow used one by RTP before', () => {
  assert.deepEqual(wayOfKeys(callWith(), key('info')), { keys: 'info' });
  assert.deepEqual(wayOfKeys(callWith({}, { lastDigits: '1' }), key('info')), { keys: 'rtp' });
  assert.deepEqual(wayOfKeys(callWith(), key()), {}, 'a story without INFO holds nothing of it');
  assert.deepEqual(wayOfKeys(callWith({ keys: 'rtp' }), key('info')), {});
});

test('keys by the other way change nothing', () => {
  assert.deepEqual(
    [key('info'), key()].map((event) => [
      isOtherWay(callWith({ keys: 'info' }), event),
      isOtherWay(callWith({ keys: 'rtp' }), event),
    ]),
    [
      [false, true],
      [true, false],
    ],
  );
  assert.equal(isOtherWay(callWith(), key()), false);
});
