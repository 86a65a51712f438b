import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayResetLeadTo } from './reset-origins.ts';

test('a reset leads to origins that were named, else to pages of this machine, and behind a proxy nowhere', () => {
  const none = { resetOrigins: [], bind: '127.0.0.1', trustedProxies: [] };
  for (const origin of ['http://127.0.0.1:8080', 'http://localhost:3000', 'http://[::1]:80'])
    assert.ok(mayResetLeadTo(origin, none), origin);
  for (const origin of [
    'https://evil.example',
    'http://127.0.0.1.evil.example',
    'http://10.0.0.1',
    'http://127.evil.example',
  ])
    assert.ok(!mayResetLeadTo(origin, none), origin);
  for (const other of [{ bind: '0.0.0.0' }, { trustedProxies: ['127.0.0.1'] }])
    assert.ok(!mayResetLeadTo('http://127.0.0.1:8080', { ...none, ...other }));
  const named = { ...none, bind: '0.0.0.0', resetOrigins: ['https://portal.example'] };
  assert.ok(mayResetLeadTo('https://portal.example', named));
  assert.ok(!mayResetLeadTo('http://localhost', { ...named, bind: '127.0.0.1' }));
});
