import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceOf } from '@opentact/runtime';
import { createShares } from './shares.ts';

test('one source has its share and no more; what it gives back may be taken again', () => {
  const shares = createShares(10, 4);
  assert.deepEqual([shares.take('192.0.2.1', 4), shares.take('192.0.2.1', 1)], [true, false]);
  assert.deepEqual([shares.take('192.0.2.2', 4), shares.take('192.0.2.3', 4)], [true, false]);
  shares.give('192.0.2.1', 4);
  assert.equal(shares.take('192.0.2.3', 4), true);
  shares.force('192.0.2.3', 100);
  assert.deepEqual([shares.total, shares.fits('192.0.2.9', 1)], [108, false]);
});

test('an IPv6 source is its /64, a mapped address the IPv4 address', () => {
  const same = ['2001:db8:0:1::1', '2001:db8::1:0:0:0:1', '2001:0db8:0000:0001:ffff:ffff:ffff:ffff', '2001:DB8:0:1::'];
  assert.deepEqual([...new Set(same.map(sourceOf))], ['2001:db8:0:1::/64']);
  assert.notEqual(sourceOf('2001:db8:0:2::1'), sourceOf('2001:db8:0:1::1'));
  assert.equal(sourceOf('::ffff:192.0.2.1'), sourceOf('192.0.2.1'));
  assert.equal(sourceOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
});
