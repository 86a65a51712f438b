import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writtenNumber } from './index.ts';

for (const [text, number] of [
  ['12125550100', '12125550100'],
  ['+1 212 555 0100', '+12125550100'],
  ['(212) 555-0100', '2125550100'],
  ['+1 (212) 555-0100', '+12125550100'],
  ['+1\u00A0212\u2011555\u20130100', '+12125550100'],
  ['212/555.0100', '2125550100'],
  ['tel:+1-212-555-0100', '+12125550100'],
  ['TEL:+1.212.555.0100;isub=1;phone-context=x', '+12125550100'],
  ['1000', '1000'],
  ['', undefined],
  ['tel:', undefined],
  ['()', undefined],
  ['+', undefined],
  ['++12125550100', undefined],
  ['tel:sip:a@b', undefined],
  ['12\r\n34', undefined],
  ['1-800-FLOWERS', undefined],
  ['12125550100;x=1', undefined],
  ['1'.repeat(21), undefined],
  [`tel:${'1'.repeat(300)}`, undefined],
] as const)
  test(`${JSON.stringify(text.slice(0, 40))} is ${number ?? 'no number'}`, () =>
    assert.equal(writtenNumber(text), number));
