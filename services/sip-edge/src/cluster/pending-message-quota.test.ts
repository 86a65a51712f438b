import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipMessage } from '../stack/message/message.ts';
import { BYTES_MAX, createPendingMessageQuota } from './pending-message-quota.ts';

const sized = (length: number) => ({ raw: { length } }) as unknown as SipMessage;

test('what waits is bounded by bytes in all and per source, and what was let go may be kept again', () => {
  const quota = createPendingMessageQuota();
  const large = sized(BYTES_MAX / 4);
  const add = (address: string) => quota.add(large, address, false);
  assert.deepEqual([add('192.0.2.1'), add('192.0.2.1')], [true, false]);
  assert.deepEqual([add('192.0.2.2'), add('192.0.2.3'), add('192.0.2.4'), add('192.0.2.5')], [true, true, true, false]);
  quota.remove(large, '192.0.2.1', false);
  assert.equal(add('192.0.2.5'), true);
});

test('what proves nothing takes nothing from the quota of the rest', () => {
  const quota = createPendingMessageQuota();
  for (let leg = 0; leg < 200; leg++) assert.equal(quota.enter(true), true);
  assert.deepEqual([quota.enter(true), quota.enter(false)], [false, true]);
  const add = (unproven: boolean) => quota.add(sized(2 ** 21), '192.0.2.1', unproven);
  assert.deepEqual([add(true), add(false)], [false, true]);
});
