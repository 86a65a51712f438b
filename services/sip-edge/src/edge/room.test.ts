import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipMessage } from '../stack/message/message.ts';
import { BYTES_MAX, createRoom } from './room.ts';

const sized = (length: number) => ({ raw: { length } }) as unknown as SipMessage;

test('what waits is bounded by bytes, and what was let go makes room again', () => {
  const room = createRoom();
  const large = sized(BYTES_MAX / 2);
  assert.deepEqual([room.add(large, false), room.add(large, false), room.add(sized(1), false)], [true, true, false]);
  room.remove(large, false);
  assert.equal(room.add(large, false), true);
});

test('what proves nothing takes none of the room of the rest', () => {
  const room = createRoom();
  for (let leg = 0; leg < 200; leg++) assert.equal(room.enter(true), true);
  assert.deepEqual([room.enter(true), room.enter(false)], [false, true]);
  assert.deepEqual([room.add(sized(2 ** 21), true), room.add(sized(2 ** 21), false)], [false, true]);
});
