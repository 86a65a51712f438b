import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressTarget, numberTarget } from './target.ts';

for (const [text, target] of [
  ['(212) 555-0100', 'tel:2125550100'],
  ['+1 (212) 555-0100', 'tel:+12125550100'.replace('+', '')],
  ['tel:+1-212-555-0100', 'tel:12125550100'],
  ['TEL:+1.212.555.0100;isub=1;phone-context=x', 'tel:12125550100'],
  ['tel:', undefined],
  ['()', undefined],
  ['tel:sip:a@b', undefined],
  ['12\r\n34', undefined],
] as const)
  test(`the number ${JSON.stringify(text)} is ${target}`, () => assert.equal(numberTarget(text), target));

for (const [text, target] of [
  ['bob@example.com', 'sip:bob@example.com'],
  ['SIP:bob@example.com;transport=UDP', 'sip:bob@example.com;transport=udp'],
  ['sip:+12125550100@example.com:5070;user=phone', 'sip:+12125550100@example.com:5070;user=phone'],
  ['sip:1@h;user=phone;transport=TCP', 'sip:1@h;user=phone;transport=tcp'],
  ['sip:+12025550123;ext=4@h', 'sip:+12025550123;ext=4@h'],
  ['sip:a@h;transport=udp;transport=tcp', undefined],
  ['sip:a@h;transport=tls', undefined],
  ['sip:a@h;maddr=x', undefined],
  ['sip:a@h?Route=x', undefined],
  ['sip:a\r\n@h', undefined],
] as const)
  test(`the address ${JSON.stringify(text)} is ${target}`, () => assert.equal(addressTarget(text), target));
