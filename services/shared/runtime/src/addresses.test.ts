import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAllowedAddress, isPublicAddress, parseAllowList } from './addresses.ts';

test('addresses of private networks are never public, in whatever clothes', () => {
  for (const address of [
    ...['127.0.0.1', '127.0.0.2', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...['224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '2001:db8::1', 'fe80::1%eth0'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::10.0.0.1', '2002:7f00:1::', 'not an address', ''],
  ])
    assert.equal(isPublicAddress(address), false, address);
});

test('addresses of the Internet are public', () => {
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'])
    assert.equal(isPublicAddress(address), true, address);
});

test('an allow list admits its blocks and ports, and an IPv4 block admits mapped addresses', () => {
  const list = parseAllowList('127.0.0.1:8090, 10.0.0.0/8 [::1]:80,[fd00::/8]:443,fe80::/10');
  assert.equal(isAllowedAddress(list, '127.0.0.1', 8090), true);
  assert.equal(isAllowedAddress(list, '::ffff:127.0.0.1', 8090), true);
  assert.equal(isAllowedAddress(list, '127.0.0.1', 8091), false);
  assert.equal(isAllowedAddress(list, '127.0.0.2', 8090), false);
  assert.equal(isAllowedAddress(list, '10.255.0.1', 1), true);
  assert.equal(isAllowedAddress(list, '::1', 80), true);
  assert.equal(isAllowedAddress(list, '::1', 81), false);
  assert.equal(isAllowedAddress(list, 'fd12::1', 443), true);
  assert.equal(isAllowedAddress(list, 'fe80::1', 7), true);
  assert.equal(isAllowedAddress(list, '8.8.8.8', 443), true);
});

test('an entry that can’t be read is named', () => {
  for (const entry of ['localhost', '10.0.0.0/33', '1.2.3.4:0', '1.2.3.4:99999', '[::1]:x', '1.2.3.4/8/9'])
    assert.throws(() => parseAllowList(`127.0.0.1,${entry}`), /holds/, entry);
});
