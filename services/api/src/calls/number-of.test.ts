/** A number is reserved and charged for however it is written; an address isn't taken for one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberOf } from './place-call.ts';

for (const [to, number] of [
  ['(212) 555-0100', '2125550100'],
  ['+1 212 555 0100', '12125550100'],
  ['tel:+1-212-555-0100;isub=1', '12125550100'],
  ['sip:12125550100@h', undefined],
  ['12125550100@h', undefined],
] as const)
  test(`${to} is ${number ?? 'no number'}`, () => assert.equal(numberOf(to), number));
