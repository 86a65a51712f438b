/** What an event meant when it was written is what it means for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEvent } from './events.ts';
import { EVENT_VERSIONS, readEvent, upcast } from './versions.ts';
import { encodeEvent, UnknownEvent } from './wire.ts';

const lost: CallEvent = {
  type: 'NodeLost',
  kind: 'media',
  node: 'm',
  boot: 'b',
  recover: true,
  callId: 'c',
  seq: 3,
  at: 9,
};

test('an event of today is read as it was written', () => {
  assert.deepEqual(readEvent(encodeEvent(lost), '2'), lost);
});

test('a loss of version 1 is a loss without recovery, whatever its bytes say', () => {
  assert.deepEqual(readEvent(encodeEvent(lost), '1'), { ...lost, recover: false });
  assert.deepEqual(readEvent(encodeEvent(lost), undefined), { ...lost, recover: false });
});

test('an event of a version to come is refused, and so is one of no version', () => {
  for (const version of ['3', '0', '1.5x', '-1'])
    assert.throws(() => readEvent(encodeEvent(lost), version), UnknownEvent);
  assert.throws(() => upcast({ type: 'LegConfirmed', leg: 0, sdp: '', callId: 'c', seq: 1, at: 1 }, 2), UnknownEvent);
});

test('every listed version can be reached from 1', () => {
  for (const [type, version] of Object.entries(EVENT_VERSIONS))
    for (let from = 1; from <= version; from++) assert.equal(upcast({ ...lost, type } as CallEvent, from).type, type);
});
