import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatUri, parseUri, sameUri, subscriberOf } from './uri.ts';

const same = (a: string, b: string) => sameUri(parseUri(a), parseUri(b));

test('addresses that RFC 3261 19.1.4 calls equal are equal', () => {
  assert.ok(same('sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'));
  assert.ok(same('sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'));
  assert.ok(same('sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'));
  assert.ok(
    same(
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ),
  );
  assert.ok(same('sip:alice@atlanta.com?subject=p&priority=u', 'sip:alice@atlanta.com?priority=u&subject=p'));
});

test('addresses that RFC 3261 19.1.4 calls different are different', () => {
  assert.ok(!same('SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'));
  assert.ok(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'));
  assert.ok(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'));
  assert.ok(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'));
  assert.ok(!same('sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next'));
  assert.ok(!same('sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'));
  assert.ok(!same('sip:a%40b@h', 'sip:a%41b@h'));
});

test('an address is written as it was read', () => {
  for (const text of ['sip:h', 'sips:u:p@[2001:db8::1]:5061;lr?a=b', 'tel:+1-201-555-0123', 'sip:a%20b@h;x=%20']) {
    assert.equal(formatUri(parseUri(text)), text);
  }
});

test('broken addresses are refused', () => {
  for (const text of ['', 'sip', 'sip:', 'sip:@h', 'sip:a@', 'sip:h:99999', 'sip:a b@h', 'sip:h;x=<', 'sip:[::1']) {
    assert.throws(() => parseUri(text), { name: 'GrammarFault' }, text);
  }
});

for (const [text, user, parameters] of [
  ['sip:+12125550147;cpc=ordinary@h', '+12125550147', 'cpc=ordinary'],
  ['sip:+13055550100;npdi;rn=+13055550199@h', '+13055550100', 'npdi;rn=+13055550199'],
  ['tel:+1-212-555-0147;isub=1', '+12125550147', 'isub=1'],
  ['tel:(212)555.0147', '2125550147', undefined],
  ['sip:+1(212)555-0147@h;user=phone', '+12125550147', undefined],
  ['sip:%2B1%20(212)%20555-0147@h', '+12125550147', undefined],
  ['sip:%2B1212%3Bcpc@h', '%2B1212%3Bcpc', undefined],
  ['sip:1000@h', '1000', undefined],
  ['sip:%2367@h', '#67', undefined],
  ['sip:*@h', '*', undefined],
  ['sip:%61lice@h', 'alice', undefined],
  ['sip:alice;day=tuesday@h', 'alice;day=tuesday', undefined],
  ['sip:a.b-1(2)@h', 'a.b-1(2)', undefined],
  ['sip:12a-5@h', '12a-5', undefined],
  ['sip:h', '', undefined],
  ['sip:1212;@h', '1212', undefined],
] as const)
  test(`${text} names ${user || 'nobody'}${parameters ? `, with ${parameters}` : ''}`, () =>
    assert.deepEqual(subscriberOf(parseUri(text)), parameters ? { user, parameters } : { user }));
