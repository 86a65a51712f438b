/** What an ordered call is to whom, as its client may write it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallV1 } from '@opentact/proto';
import { orderOf } from './control-request.ts';

const ordered = (to: string, from = '18005550100') => {
  const { toNumber, target, fromNumber } = orderOf({
    ...{ accountId: 'a', from, to, xml: '<Response/>', app: undefined, ringTimeoutMs: 0, idempotencyKey: 'k' },
    ...{ callFlowUrl: '', callFlowMethod: '', batchItem: '' },
  } as CallV1.PlaceCallRequest);
  return { toNumber, target, fromNumber };
};

for (const [to, toNumber, target] of [
  ['(212) 555-0100', '2125550100', 'tel:2125550100'],
  ['+1 212-555-0100', '+12125550100', 'tel:12125550100'],
  ['tel:+1-212-555-0100;isub=1', '+12125550100', 'tel:12125550100'],
  ['sip:1000@h;transport=UDP', 'sip:1000@h;transport=UDP', 'sip:1000@h;transport=udp'],
  ['1000@h;user=phone', '1000@h;user=phone', 'sip:1000@h;user=phone'],
] as const)
  test(`a call to ${to} is one to ${target}`, () =>
    assert.deepEqual(ordered(to), { toNumber, target, fromNumber: '18005550100' }));

test('whom the callee is shown is a number alone, or a name', () => {
  assert.equal(ordered('1000', '+1 (800) 555-0100').fromNumber, '+18005550100');
  assert.equal(ordered('1000', 'front-desk').fromNumber, 'front-desk');
  assert.throws(() => ordered('1000', 'a b'), /from: digits, or a user name/);
});
